import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Registered services live below it. */
const LOWEST = 10_240;
/** Where the system begins to choose ports itself, unless it says otherwise. */
const DEFAULT_EPHEMERAL = 32_768;
const TRIES = 100;

const given = new Set<number>();

/**
 * A port on the loopback that nobody holds and that the system gives to nobody: it lies below the ports that
 * outgoing connections and `listen(0)` get. A server may stop and start on it again. Never the same twice.
 */
export async function freePort(protocol: 'tcp' | 'udp' = 'tcp'): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * (lowestEphemeral() - LOWEST));
    if (given.has(port) || !(await isFree(port, protocol))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free ${protocol} port found between ${LOWEST} and ${lowestEphemeral()}`);
}

function lowestEphemeral(): number {
  try {
    const lowest = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
    return lowest > LOWEST + TRIES ? lowest : DEFAULT_EPHEMERAL;
  } catch {
    return DEFAULT_EPHEMERAL;
  }
}

async function isFree(port: number, protocol: 'tcp' | 'udp'): Promise<boolean> {
  const holder =
    protocol === 'udp'
      ? createSocket('udp4').bind(port, '127.0.0.1')
      : createServer().listen(port, '127.0.0.1');
  try {
    await once(holder, 'listening');
  } catch {
    return false;
  }
  holder.close();
  await once(holder, 'close');
  return true;
}
