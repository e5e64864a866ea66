/** Trying again when somebody else wrote first: client-go's util/retry. */
import { ms } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { ApiError } from '../api/request.ts';
import { jitter } from './backoff.ts';

const STEPS = 5;

/**
 * Runs `attempt` until it does not fail with Conflict, five times at most, 10 ms apart (`DefaultRetry`).
 * The attempt must read the object anew each time. Rejects with the last error.
 */
export async function retryOnConflict<T>(self: Pick<Process, 'clock' | 'rng'>, attempt: () => Promise<T>): Promise<T> {
  for (let step = 1; ; step++) {
    try {
      return await attempt();
    } catch (error) {
      if (step === STEPS || !isConflict(error)) throw error;
      await self.clock.sleep(jitter(self, ms(10), 10));
    }
  }
}

export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.code === 409 && error.reason === 'Conflict';
export const isAlreadyExists = (error: unknown): boolean => error instanceof ApiError && error.reason === 'AlreadyExists';
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.code === 404;
/** Creating in a namespace that is being deleted: the cause a controller recognises and gives up on. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 403 && (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating');
/** The error of a promise that nobody waits for. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
