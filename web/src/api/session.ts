import { signal } from '@preact/signals';
import { createClient, problemOf, ApiProblem } from '../../../src/client/index.ts';

const KEY = 'actionstream.token';

/** The program that serves this page. */
export const url = location.origin;

/** Kept for this tab only, and sent with each request. Empty: none. */
const token = signal(sessionStorage.getItem(KEY) ?? '');

/** The program demands a token, or another one: the page asks for it. */
export const isTokenWanted = signal(false);

export const tokenHeld = (): string => token.value;

export const api = createClient({ url, token: tokenHeld });

export function useToken(entered: string): void {
  sessionStorage.setItem(KEY, entered);
  token.value = entered;
  isTokenWanted.value = false;
}

interface Answered<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/** What was answered. @throws ApiProblem where it was refused, or the program was not reached */
export async function answerOf<Data>(request: Promise<Answered<Data>>): Promise<Data> {
  const { data, error, response } = await request.catch(rethrow);
  if (data !== undefined && response.ok) return data;
  throw noticed(problemOf(error, response.status));
}

/** A file of the API that is not JSON. @throws ApiProblem */
export async function fetchFile(path: string, signal?: AbortSignal): Promise<Response> {
  const held = tokenHeld();
  const response = await fetch(`${url}${path}`, {
    ...(held !== '' && { headers: { authorization: `Bearer ${held}` } }),
    ...(signal && { signal }),
    cache: 'no-store',
  }).catch(rethrow);
  if (response.ok) return response;
  throw noticed(problemOf(await response.json().catch(() => undefined), response.status));
}

/** Status 401 of any request opens the question for the token. */
export function noticed<Failure>(error: Failure): Failure {
  if (error instanceof ApiProblem && error.status === 401) isTokenWanted.value = true;
  return error;
}

function rethrow(error: unknown): never {
  if (error instanceof DOMException && error.name === 'AbortError') throw error;
  throw new ApiProblem({ status: 0, code: 'OFFLINE', detail: 'the program does not answer' });
}
