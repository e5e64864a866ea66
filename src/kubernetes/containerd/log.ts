/**
 * A container's log: what its program wrote, line by line, as the CRI log file has it.
 *
 * Here simplified: kept in memory beside the container instead of under /var/log/pods, and rotated by
 * lines: past 20,000 the older half goes, where a kubelet rotates at 10 MiB.
 */
import type { Clock } from '../../sim/clock.ts';
import type { LogLine } from '../kubelet/cri.ts';

const KEPT = 20_000;

export class ContainerLog {
  private lines: LogLine[] = [];
  private readonly partial = { stdout: '', stderr: '' };
  private readonly followers = new Set<(line: LogLine) => void>();
  /** Raw output, for `attach`. */
  private readonly watchers = new Set<(stream: 'stdout' | 'stderr', text: string) => void>();

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  write(stream: 'stdout' | 'stderr', text: string): void {
    for (const watcher of this.watchers) watcher(stream, text);
    const whole = this.partial[stream] + text;
    let from = 0;
    for (let newline = whole.indexOf('\n'); newline >= 0; newline = whole.indexOf('\n', from)) {
      this.push({ at: this.clock.now(), stream, text: whole.slice(from, newline) });
      from = newline + 1;
    }
    this.partial[stream] = whole.slice(from);
  }

  /** The program has ended: what it left without a newline becomes a line. */
  flush(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.partial[stream] !== '') this.push({ at: this.clock.now(), stream, text: this.partial[stream] });
      this.partial[stream] = '';
    }
  }

  all(): readonly LogLine[] {
    return this.lines;
  }
  follow(listener: (line: LogLine) => void): () => void {
    this.followers.add(listener);
    return () => this.followers.delete(listener);
  }
  watch(watcher: (stream: 'stdout' | 'stderr', text: string) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  private push(line: LogLine): void {
    if (this.lines.length >= KEPT) this.lines = this.lines.slice(KEPT / 2);
    this.lines.push(line);
    for (const follower of this.followers) follower(line);
  }
}
