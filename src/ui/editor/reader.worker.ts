/** The manifest reader beside the page: a text of 5 MB is parsed here, so that typing and drawing go on. */
import { type Read, Reader } from './manifest.ts';

export type ToReader =
  | { readonly type: 'read'; readonly id: number; readonly text: string }
  | { readonly type: 'patch'; readonly id: number; readonly manifest: number; readonly current: string }
  | { readonly type: 'line'; readonly id: number; readonly manifest: number; readonly field: string };
export type FromReader =
  | { readonly type: 'read'; readonly id: number; readonly batch: readonly Read[]; readonly last: boolean }
  | { readonly type: 'answer'; readonly id: number; readonly value: string | number }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

const BATCH = 100;
let reader = new Reader();
const post = (message: FromReader): void => self.postMessage(message);

function receive(message: ToReader): void {
  switch (message.type) {
    case 'read': {
      reader = new Reader();
      let batch: Read[] = [];
      for (const one of reader.read(message.text)) {
        batch.push(one);
        if (batch.length < BATCH) continue;
        post({ type: 'read', id: message.id, batch, last: false });
        batch = [];
      }
      post({ type: 'read', id: message.id, batch, last: true });
      return;
    }
    case 'patch':
      post({ type: 'answer', id: message.id, value: reader.patch(message.manifest, message.current) });
      return;
    case 'line':
      post({ type: 'answer', id: message.id, value: reader.lineOfField(message.manifest, message.field) });
  }
}

self.addEventListener('message', (event: MessageEvent<ToReader>) => {
  try {
    receive(event.data);
  } catch (error) {
    post({ type: 'failed', id: event.data.id, message: error instanceof Error ? error.message : String(error) });
  }
});
