/**
 * Seeing to it that a container's image is here (`images/image_manager.go`): pull policy, one pull at a
 * time per node (serializeImagePulls), back-off per pod and image from 10 s to 5 min.
 */
import { type Instant, minutes, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { Backoff, goDuration } from './backoff.ts';
import type { Credentials } from './credentials.ts';
import { type ContainerRuntime, type RegistryAuth, RuntimeError } from './cri.ts';
import type { ContainerSpec, PodObject } from './pod-view.ts';

export type PullResult =
  | { readonly ok: true }
  /** `retryAt`: when the back-off ends, if there is one. */
  | { readonly ok: false; readonly reason: string; readonly message: string; readonly retryAt?: Instant };

type Note = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

export class ImagePuller {
  private readonly backoff = new Backoff(seconds(10), minutes(5));
  /** What the last failure said, for the waiting message while backing off. */
  private readonly lastError = new Map<string, string>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly self: Process,
    private readonly runtime: ContainerRuntime,
  ) {}

  /** `credentials`: who the pod may ask as. */
  async ensure(pod: PodObject, container: ContainerSpec, note: Note, credentials?: Credentials): Promise<PullResult> {
    const image = container.image ?? '';
    const present = this.runtime.imageStatus(image) !== undefined;
    const policy = container.imagePullPolicy ?? defaultPolicy(image);
    if (policy !== 'Always' && present) {
      note('Normal', 'Pulled', `Container image "${image}" already present on machine`);
      return { ok: true };
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      note('Warning', 'ErrImageNeverPull', message);
      return { ok: false, reason: 'ErrImageNeverPull', message };
    }
    const key = `${pod.metadata.uid}_${image}`;
    const now = this.self.clock.now();
    const until = this.backoff.untilSinceUpdate(key, now);
    if (until !== undefined) {
      note('Normal', 'BackOff', `Back-off pulling image "${image}"`);
      const last = this.lastError.get(key);
      return { ok: false, reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"${last ? `: ${last}` : ''}`, retryAt: until };
    }
    note('Normal', 'Pulling', `Pulling image "${image}"`);
    let began = now;
    const { trace } = this.self;
    const cause = trace.current();
    const pulled = this.queue.then(() => {
      began = this.self.clock.now();
      // The pull before ended in this very event: this one does not follow from it, nor what it set free from this one.
      const other = trace.current();
      trace.because(cause);
      const pull = this.pull(image, credentials?.(image) ?? []);
      trace.because(other);
      return pull;
    });
    this.queue = pulled.catch(() => {});
    try {
      const { size } = await pulled;
      const end = this.self.clock.now();
      note(
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${roundMs(end - began)} (${roundMs(end - now)} including waiting). Image size: ${size} bytes.`,
      );
      this.lastError.delete(key);
      return { ok: true };
    } catch (error) {
      if (error instanceof RuntimeError && error.reason === 'InvalidImageName') {
        const message = `Failed to apply default image tag "${image}": ${error.message}`;
        note('Warning', 'InspectFailed', message);
        return { ok: false, reason: 'InvalidImageName', message };
      }
      const message = error instanceof Error ? error.message : String(error);
      note('Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      const at = this.self.clock.now();
      this.backoff.next(key, at, at);
      this.lastError.set(key, `ErrImagePull: ${message}`);
      return { ok: false, reason: 'ErrImagePull', message };
    }
  }

  /** With each of the logins that are for the image, until one is let in; without a name when there is none. */
  private async pull(image: string, logins: readonly RegistryAuth[]): Promise<{ readonly size: number }> {
    if (logins.length <= 1) return this.runtime.pullImage(image, logins[0]);
    const said: string[] = [];
    for (const login of logins) {
      try {
        return await this.runtime.pullImage(image, login);
      } catch (error) {
        if (!(error instanceof RuntimeError) || error.reason === 'InvalidImageName') throw error;
        if (!said.includes(error.message)) said.push(error.message);
      }
    }
    throw new RuntimeError(said.length === 1 ? said[0]! : `[${said.join(', ')}]`, 'ErrImagePull');
  }

  forget(uid: string): void {
    this.backoff.forget(`${uid}_`);
    for (const key of [...this.lastError.keys()]) if (key.startsWith(`${uid}_`)) this.lastError.delete(key);
  }
}

const roundMs = (duration: number): string => goDuration(Math.floor(duration / 1000) * 1000);

/** Without a policy (static pods): Always for `:latest`, IfNotPresent otherwise (core/v1 defaults.go). */
export const defaultPolicy = (image: string): string => {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = image.lastIndexOf(':') > image.lastIndexOf('/') ? image.slice(image.lastIndexOf(':') + 1) : 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
};
