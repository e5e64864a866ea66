/** The live region's voice: at most one sentence in two seconds, what happened meanwhile summed up in it. */
import type { App } from '../app-context.ts';

const EVERY_MS = 2_000;

export class Announcer {
  private readonly waiting: string[] = [];
  private last = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private listener: ((sentence: string) => void) | undefined;
  private failed = 0;
  private ready = 0;
  private gone = 0;

  onSentence(listener: (sentence: string) => void): () => void {
    this.listener = listener;
    return () => {
      this.listener = undefined;
    };
  }

  say(sentence: string): void {
    this.waiting.push(sentence);
    this.later();
  }

  /** Counts pods that became healthy or failed, so that thirty of them are one sentence. */
  follow(app: App): void {
    const { pods } = app.cluster;
    let status = new Uint8Array(0);
    app.cluster.onNews(({ frame }) => {
      if (status.length < pods.length) {
        const next = new Uint8Array(pods.length + 256).fill(255);
        next.set(status);
        status = next;
      }
      for (let i = 0; i < frame.podChanges.length; i += 6) {
        const index = frame.podChanges[i]!;
        const now = frame.podChanges[i + 3]!;
        if (!frame.reset && status[index] !== now) {
          if (now === 0) this.ready++;
          else if (now === 3) this.failed++;
        }
        status[index] = now;
      }
      this.gone += frame.removedPods.length;
      if (this.ready + this.failed + this.gone > 0) this.later();
    });
    current = this;
  }

  private later(): void {
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        this.last = performance.now();
        const parts: string[] = [];
        if (this.ready > 0) parts.push(`${this.ready} ${this.ready === 1 ? 'pod' : 'pods'} became ready`);
        if (this.failed > 0) parts.push(`${this.failed} failed`);
        if (this.gone > 0) parts.push(`${this.gone} gone`);
        this.ready = this.failed = this.gone = 0;
        const said = [...this.waiting.splice(0), ...(parts.length > 0 ? [`${parts.join('; ')}.`] : [])].join(' ');
        if (said !== '') this.listener?.(said);
      },
      Math.max(0, EVERY_MS - (performance.now() - this.last)),
    );
  }
}

let current: Announcer | undefined;
/** The one the page has; the live region listens to it. */
export const announcer = (): Announcer | undefined => current;
