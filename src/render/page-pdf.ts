import type { OpenBrowser } from './browser.ts';
import { refuseForbidden } from './html.ts';

const ADDRESS = 'https://report.invalid/';

/** Policy of the document that is printed: its inline style and data fonts; no script at all. */
const PRINT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'";

export interface PrintOptions {
  /** Id of the element that ends the document: a document that is cut short is not printed. */
  end: string;
}

/**
 * Prints a document that can reach nothing: scripts off, one synthetic address, every other request refused and counted as
 * a failure of the print.
 */
export async function printToPdf(browser: OpenBrowser['browser'], html: string, options: PrintOptions): Promise<Uint8Array> {
  refuseForbidden(html.replace(/<style>[^]*?<\/style>/g, ''));
  const page = await browser.newPage();
  try {
    const blocked: string[] = [];
    let served = false;
    await page.setJavaScriptEnabled(false);
    await page.setOfflineMode(true);
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      if (!served && request.isNavigationRequest() && request.url() === ADDRESS) {
        served = true;
        void request.respond({
          status: 200,
          contentType: 'text/html; charset=utf-8',
          headers: { 'content-security-policy': PRINT_POLICY },
          body: html,
        });
      } else if (request.url().startsWith('data:')) void request.continue();
      else {
        blocked.push(request.url());
        void request.abort('aborted');
      }
    });
    await page.goto(ADDRESS, { waitUntil: 'load', timeout: 600_000 });
    if ((await page.$(`#${options.end}`)) === null)
      throw new Error(`the document to print has no end mark #${options.end}: it is not whole`);
    const bytes = await page.pdf({
      preferCSSPageSize: true,
      printBackground: true,
      tagged: true,
      // The report has an outline of its own, over all parts.
      outline: false,
      timeout: 600_000,
    });
    if (page.url() !== ADDRESS) throw new Error(`the document to print moved to ${page.url()}`);
    if (blocked.length > 0) throw new Error(`the document to print asked for ${blocked.slice(0, 3).join(', ')}`);
    return bytes;
  } finally {
    await page.close();
  }
}
