/** The page's side of the manifest reader. */
import type { Contents } from './apply.ts';
import type { Read } from './manifest.ts';
import type { FromReader, ToReader } from './reader.worker.ts';
import ReaderWorker from './reader.worker.ts?worker';

interface Waiting {
  resolve(value: string | number): void;
  reject(error: Error): void;
  readonly onBatch?: (batch: readonly Read[]) => void;
}

export class ManifestReader implements Contents {
  private readonly worker = new ReaderWorker();
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  constructor() {
    this.worker.addEventListener('message', (event: MessageEvent<FromReader>) => this.receive(event.data));
    this.worker.addEventListener('error', (event) => {
      for (const one of this.waiting.values()) one.reject(new Error(event.message || 'the manifest reader could not be started'));
      this.waiting.clear();
    });
  }

  /** All objects and problems of a text, in order. Forgets the text before. */
  async read(text: string): Promise<Read[]> {
    const all: Read[] = [];
    await this.ask(
      (id) => ({ type: 'read', id, text }),
      (batch) => all.push(...batch),
    );
    return all;
  }
  async patch(manifest: number, current: string): Promise<string> {
    return String(await this.ask((id) => ({ type: 'patch', id, manifest, current })));
  }
  async lineOfField(manifest: number, field: string): Promise<number> {
    return Number(await this.ask((id) => ({ type: 'line', id, manifest, field })));
  }
  close(): void {
    this.worker.terminate();
  }

  private ask(message: (id: number) => ToReader, onBatch?: (batch: readonly Read[]) => void): Promise<string | number> {
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      this.waiting.set(id, { resolve, reject, ...(onBatch ? { onBatch } : {}) });
      this.worker.postMessage(message(id));
    });
  }

  private receive(message: FromReader): void {
    const waiting = this.waiting.get(message.id);
    if (!waiting) return;
    if (message.type === 'read') {
      waiting.onBatch?.(message.batch);
      if (!message.last) return;
      waiting.resolve('');
    } else if (message.type === 'answer') waiting.resolve(message.value);
    else waiting.reject(new Error(message.message));
    this.waiting.delete(message.id);
  }
}
