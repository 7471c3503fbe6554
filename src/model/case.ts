/**
 * A name by which Azure knows a resource, whose case it does not look at. Letters that are small letters of others only to Unicode (the
 * Kelvin sign, İ) stay as they are: Azure tells them apart, so that both may be there.
 */
export function withoutCase(name: string): string {
  if (/^[\u0020-\u007e]*$/.test(name)) return name.toLowerCase();
  return name.replace(/[^]/gu, (letter) => {
    const small = letter.toLowerCase();
    return small.toUpperCase() === letter ? small : letter;
  });
}
