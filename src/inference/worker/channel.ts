import type { WorkerReply, WorkerRequest } from './messages.ts';

/** The inference process's end of the channel to its owner. */
export interface Channel {
  send(reply: WorkerReply): void;
  onRequest(listener: (request: WorkerRequest) => void): void;
}

/**
 * Ties this process to its owner: it ends when the owner is gone, at the latest when its native call returns. A Ctrl-C that
 * reaches the whole group is the owner's to handle, which may want clips scored while it drains.
 */
export function connectToOwner(self: NodeJS.Process): Channel {
  self.on('SIGINT', () => undefined);
  self.on('SIGTERM', () => undefined);
  self.on('disconnect', () => self.exit());
  return {
    // Without an owner there is nobody to tell.
    send: (reply) => self.send?.(reply, undefined, undefined, () => undefined),
    onRequest: (listener) => {
      self.on('message', (message) => {
        listener(message as WorkerRequest);
      });
    },
  };
}
