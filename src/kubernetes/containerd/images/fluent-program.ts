/**
 * fluentd and Fluent Bit: follow files, and print what comes where their configuration says `stdout`.
 *
 * Here simplified: the tail input, records of one field, stdout as the only output; what would go elsewhere is dropped.
 */
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { timestamp } from '../../api/time.ts';
import { service } from './service.ts';

interface Input {
  readonly path: string;
  readonly tag: string;
  /** Beginning with what is there already. */
  readonly fromHead: boolean;
}
interface Output {
  readonly match: string;
  readonly stdout: boolean;
}
export interface FluentConfig {
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
}

/** `<source>` and `<match tag>` blocks; of those within them nothing. */
export function parseFluentd(text: string): FluentConfig {
  const of = (body: string, name: string): string | undefined => new RegExp(`^\\s*@?${name}\\s+(.+?)\\s*$`, 'm').exec(body)?.[1];
  return {
    inputs: [...text.matchAll(/<source>(.*?)<\/source>/gs)].flatMap((m) => {
      const path = of(m[1]!, 'path');
      if (of(m[1]!, 'type') !== 'tail' || path === undefined) return [];
      return path.split(',').map((each) => ({ path: each.trim(), tag: of(m[1]!, 'tag') ?? 'tail', fromHead: of(m[1]!, 'read_from_head') === 'true' }));
    }),
    outputs: [...text.matchAll(/<match\s+([^>]+)>(.*?)<\/match>/gs)].map((m) => ({ match: m[1]!.trim(), stdout: of(m[2]!, 'type') === 'stdout' })),
  };
}
/** `[INPUT]` and `[OUTPUT]` sections of the classic format. */
export function parseFluentBit(text: string): FluentConfig {
  const inputs: Input[] = [];
  const outputs: Output[] = [];
  for (const section of text.split(/^\s*(?=\[)/m)) {
    const of = (name: string): string | undefined => new RegExp(`^\\s*${name}\\s+(.+?)\\s*$`, 'im').exec(section)?.[1];
    const path = of('path');
    if (/^\[INPUT\]/i.test(section) && of('name') === 'tail' && path)
      inputs.push({ path, tag: of('tag') ?? 'tail.0', fromHead: /^(true|on)$/i.test(of('read_from_head') ?? '') });
    if (/^\[OUTPUT\]/i.test(section)) outputs.push({ match: of('match') ?? '*', stdout: of('name') === 'stdout' });
  }
  return { inputs, outputs };
}

const pattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('**', '\0')
      .replaceAll('*', '[^/]*')
      .replaceAll('\0', '.*')}$`,
  );

function filesOf(self: ProgramContext, path: string): readonly string[] {
  if (!path.includes('*')) return [path];
  const directory = path.slice(0, path.lastIndexOf('/')) || '/';
  if (directory.includes('*') || !self.files.exists(directory)) return [];
  const name = pattern(path.slice(path.lastIndexOf('/') + 1));
  return self.files
    .list(directory)
    .filter((each) => name.test(each))
    .map((each) => `${directory}/${each}`);
}

const follow = (
  parse: (text: string) => FluentConfig,
  where: readonly string[],
  banner: readonly string[],
  line: (at: string, tag: string, text: string, n: number) => string,
): Program =>
  service((it) => {
    const { self } = it;
    const args = [...self.argv, ...(self.env['FLUENTD_ARGS'] ?? '').split(/\s+/)];
    const given = args[args.indexOf('-c') + 1 || args.length] ?? args.find((arg) => arg.startsWith('--config='))?.slice(9);
    const config = given ?? where.find((path) => self.files.exists(path));
    if (config === undefined || !self.files.exists(config)) {
      it.err(`[error] can't open configuration file ${given ?? where[0]}`);
      return it.exit(1);
    }
    const { inputs, outputs } = parse(self.files.read(config));
    for (const each of banner) it.out(each);
    const places = new Map<string, number>();
    let started = false;
    let n = 0;
    const turn = (): void => {
      for (const input of inputs)
        for (const path of filesOf(self, input.path)) {
          if (!self.files.exists(path) || self.files.isDirectory(path)) continue;
          const text = self.files.read(path);
          // What is there when it starts is old, unless it is asked for.
          if (!places.has(path)) places.set(path, input.fromHead || started ? 0 : text.length);
          let from = places.get(path)!;
          if (from > text.length) from = 0;
          const end = text.lastIndexOf('\n') + 1;
          if (end <= from) continue;
          places.set(path, end);
          const tag = input.tag.replace('*', path.slice(1).replaceAll('/', '.'));
          const output = outputs.find(({ match }) => match.split(/\s+/).some((each) => pattern(each.replaceAll('*', '**')).test(tag)));
          if (output?.stdout) for (const each of text.slice(from, end - 1).split('\n')) it.out(line(timestamp(self.process.clock.now()), tag, each, n++));
        }
      started = true;
    };
    turn();
    it.every(1, turn);
  });

export const fluentd = (version: string): Program =>
  follow(
    parseFluentd,
    ['/fluentd/etc/fluent.conf', '/etc/fluent/fluent.conf', '/etc/google-fluentd/google-fluentd.conf'],
    [`[info]: starting fluentd-${version} pid=1`, '[info]: #0 fluentd worker is now running worker=0'],
    (at, tag, text) => `${at.slice(0, 19).replace('T', ' ')}.000000000 +0000 ${tag}: ${JSON.stringify({ message: text })}`,
  );
export const fluentBit = (version: string): Program =>
  follow(
    parseFluentBit,
    ['/fluent-bit/etc/fluent-bit.conf'],
    [`Fluent Bit v${version}`, '* https://fluentbit.io'],
    (at, tag, text, n) => `[${n}] ${tag}: [[${at.replace('T', ' ')}, {}], {"log"=>${JSON.stringify(text)}}]`,
  );
