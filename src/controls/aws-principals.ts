const deletedId = /^A[A-Z]{3}[A-Z0-9]{12,}$/;

/** What AWS takes for a principal in a policy, by the kind that it stands under. Anything else was not written by AWS, and may have been anybody. */
const forms: Readonly<Record<string, RegExp>> = {
  AWS: new RegExp(`^(?:\\*|\\d{12}|arn:.+)$|${deletedId.source}`),
  Service: /./,
  Federated: /./,
  CanonicalUser: /./,
};

export function isPrincipalId(kind: string, id: string): boolean {
  const form = Object.hasOwn(forms, kind) ? forms[kind] : undefined;
  return form?.test(id) === true;
}

/** The id that stands for a role or user that was deleted. */
export function isDeletedPrincipal(id: string): boolean {
  return deletedId.test(id);
}
