/** Under which names forms keep in this tab what has not been sent yet. No token is among it. */
export const formsPrefix = 'partner-access.form ';

/** Forgets what forms have kept: for somebody who signs out. */
export function forgetForms(): void {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(formsPrefix)) sessionStorage.removeItem(key);
}
