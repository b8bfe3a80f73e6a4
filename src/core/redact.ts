const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#'"]*@/gi;

/** Removes user and password from every URL in a text; for anything that may be logged, stored or shown. */
export function redactUrls(text: string): string {
  return text.replace(USER_INFO, '$1***@');
}
