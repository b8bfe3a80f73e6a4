import { systemCodeOf } from '../../core/errors.ts';

/** The disk had no room: nothing was written, and the call may be repeated. */
export class DiskFull extends Error {}

/** The disk has no room, or the user's quota is used up. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskFull || ['ENOSPC', 'EDQUOT'].includes(systemCodeOf(error));
}

/** A shortage of this process or machine that says nothing about the file. */
export function isShortage(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'].includes(systemCodeOf(error));
}
