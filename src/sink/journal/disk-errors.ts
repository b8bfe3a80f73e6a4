/** The disk had no room: nothing was written, and the call may be repeated. */
export class DiskFull extends Error {}

/** The disk has no room, or the user's quota is used up. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskFull || hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT');
}

/** A shortage of this process or machine that says nothing about the file. */
export function isShortage(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'].some((code) => hasCode(error, code));
}

/** Is it an error of the system with this code? */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
