/**
 * Removes secrets from a text that may be logged, stored or shown: user and password of
 * every URL, the parameters and path parts with which cameras take a login, `password=…` in
 * any text, HTTP authorization. Hides too much rather than too little: of a URL everything
 * before its last `@` goes. Secrets that nothing marks as such (a bare path segment) stay.
 */
export function redact(text: string): string {
  return text
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, (url) => hideInUrl(url, /['")\]}>,;:.]*$/.exec(url)?.[0] ?? ''))
    .replace(NAMED_SECRET, '$1***')
    .replace(JSON_SECRET, '$1"***"')
    .replace(AUTHORIZATION, '$1***');
}

/**
 * The same for a text that is a single URL, or the path of a file: a password
 * in it may hold spaces and end in any character.
 */
export function redactUrl(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? redact(hideInUrl(url, '')) : redact(url);
}

/** What follows the host in a URL: path, query and fragment. */
export function redactPath(path: string): string {
  return path.replace(PATH_LOGIN, '/***').replace(URL_PARAMETER, '$1***');
}

/** Every text inside a value that is to be logged. */
export function redactDeep(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactDeep);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactDeep(item)]));
}

/** Parts of names that mean a secret wherever they stand. */
const STRONG = String.raw`[\w-]*(?:pass|pwd|pswd|secret|token|api_?key|access_?key|signature|credential|jwt)[\w-]*`;
/** Names that mean a login in a URL only. */
const WEAK = '(?:login|auth|session)[a-z]*|user(?:name)?|usr|account|key|sign?|sid|streamid|pw|psw|u|p';
/** Names that cameras put after a login in a path: `/user=admin_password=x_channel=1_stream=0.sdp`. */
const NEXT = `${WEAK}|${STRONG}|channel|chn?|stream|real_stream|subtype|profile|onvif`;

/** A value ends where the next parameter begins, not at a character that a password may hold. */
const URL_PARAMETER = new RegExp(
  String.raw`([?&;/_,#](?:${STRONG}|${WEAK})=)[^]*?(?=[&;][\w.-]+=|_(?:${NEXT})=|$)`,
  'gi',
);
const PATH_LOGIN = /\/[^/:?#]+:[^/?#]+(?=\/|$)/g;
const NAMED_SECRET = new RegExp(
  String.raw`((?<![\w?&;/,#*-])${STRONG}\s?=\s?)(?:'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"]\S*)`,
  'gi',
);
const JSON_SECRET = new RegExp(String.raw`("${STRONG}"\s*:\s*)"(?:[^"\\]|\\.)*"`, 'gi');
const AUTHORIZATION = /\b(authorization:\s*)\S.*$/gim;

/** @param tail what of the end belongs to the sentence around the URL */
function hideInUrl(url: string, tail: string): string {
  const [, scheme = '', rest = ''] =
    /^([^:]+:\/\/)([^]*)$/.exec(url.slice(0, url.length - tail.length)) ?? [];
  const at = rest.lastIndexOf('@');
  const parameter = rest.search(URL_PARAMETER);
  // A password before the host that looks like a parameter, or a parameter with an @: nobody can say.
  if (parameter >= 0 && at > parameter) return `${scheme}***${tail}`;
  const open = at > 0 ? rest.slice(at + 1) : rest;
  const slash = open.search(/[/?#]/);
  const [host, path] = slash < 0 ? [open, ''] : [open.slice(0, slash), open.slice(slash)];
  const shown = scheme.toLowerCase() === 'file://' ? path : redactPath(path);
  return `${scheme}${at > 0 ? '***@' : ''}${host}${shown}${tail}`;
}
