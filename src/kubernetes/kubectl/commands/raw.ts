/** `--raw URI` of create and replace: a file sent as it is to a path of the server (kubectl pkg/rawhttp). */
import type { Json } from '../../api/json.ts';
import { KubectlError } from '../errors.ts';
import type { Session } from '../session.ts';

/** Throws KubectlError for flags that make no sense beside it. `alone` are those, with the name the message gives them. */
export async function sendRaw(session: Session, method: 'POST' | 'PUT', alone: readonly (readonly [flag: string, shown: string])[]): Promise<void> {
  const { flags, self } = session;
  const files = flags.list('filename');
  if (files.length === 0 && flags.text('kustomize') === '') throw new KubectlError('must specify one of -f and -k');
  for (const [flag, shown] of alone)
    if (flags.text(flag) !== '' && flags.text(flag) !== 'false') throw new KubectlError(`--raw and ${shown} are mutually exclusive`);
  if (files.length !== 1) throw new KubectlError('--raw can only use a single local file or stdin');
  if (/^https?:\/\//.test(files[0]!)) throw new KubectlError('--raw cannot read from a url');
  if (flags.bool('recursive')) throw new KubectlError('--raw and --recursive are mutually exclusive');
  if (flags.text('output') !== '') throw new KubectlError('--raw and --output are mutually exclusive');
  const uri = flags.text('raw');
  if (!uri.startsWith('/'))
    throw new KubectlError(
      `--raw must be a valid URL path: parse ${JSON.stringify(uri)}: ${uri.startsWith(':') ? 'missing protocol scheme' : 'invalid URI for request'}`,
    );
  const [path, query = ''] = uri.split('?') as [string, string?];
  const text = await contentOf(session, files[0]!);
  const answer = await session.request(method, path, {
    query: Object.fromEntries(query.split('&').flatMap((pair) => (pair === '' ? [] : [[pair.split('=')[0]!, decodeURIComponent(pair.split('=')[1] ?? '')]]))),
    // What is no JSON is sent all the same: the server says what it thinks of it.
    body: parsed(text),
  });
  session.out(typeof answer === 'string' ? answer : JSON.stringify(answer));

  async function contentOf({ self: { stdin, files: disk, cwd } }: Session, given: string): Promise<string> {
    if (given === '-') {
      const pieces: string[] = [];
      for (let piece = await stdin.read(); piece !== undefined; piece = await stdin.read()) pieces.push(piece);
      return pieces.join('');
    }
    const at = given.startsWith('/') ? given : `${cwd}/${given}`;
    if (!self.files.exists(at)) throw new KubectlError(`open ${given}: no such file or directory`);
    return disk.read(at);
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
