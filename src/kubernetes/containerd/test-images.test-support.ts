/** Small programs for tests of the runtime and the kubelet. */
import { serveHttp } from '../../linux/http.ts';
import type { Program } from '../../linux/program.ts';
import { seconds } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import { cgroupOf } from './cgroup.ts';
import { defineImage, type Image } from './image.ts';

/** Serves until TERM, then exits 0. */
const server: Program = async (self) => {
  let healthy = true;
  const done = defer<number>(self.process.clock);
  self.onSignal(() => done.resolve(0));
  serveHttp(self.sockets, Number(self.env['PORT'] ?? 80), (request) => {
    if (request.path === '/sick') healthy = false;
    if (request.path === '/leak') cgroupOf(self).allocate(Number(request.query['bytes']));
    if (request.path === '/healthz' && !healthy) return { status: 500, body: 'sick' };
    return { status: 200, body: `hello from ${self.hostname}\n` };
  });
  self.stdout('ready\n');
  return done.promise;
};
const sleep: Program = async (self) => {
  await self.process.clock.sleep(seconds(Number(self.argv[1] ?? 1)));
  return 0;
};
const exit: Program = async (self) => {
  self.stdout(`exiting ${self.argv[1]}\n`);
  return Number(self.argv[1] ?? 0);
};
const env: Program = async (self) => {
  for (const [name, value] of Object.entries(self.env)) self.stdout(`${name}=${value}\n`);
  return 0;
};
const cat: Program = async (self) => {
  for (const path of self.argv.slice(1)) self.stdout(self.files.read(path));
  return 0;
};
const write: Program = async (self) => {
  self.files.write(self.argv[1]!, self.argv[2]!);
  return Number(self.argv[3] ?? 0);
};
/** Says what it reads, until there is no more. */
const repeat: Program = async (self) => {
  for (let piece = await self.stdin.read(); piece !== undefined; piece = await self.stdin.read()) self.stdout(`got ${piece}`);
  self.stdout('end\n');
  return 0;
};
/** Says how large its terminal is, and again when that changes; INT ends it with 130. */
const size: Program = async (self) => {
  const say = (): void => self.stdout(self.terminal ? `${self.terminal.columns}x${self.terminal.rows}\n` : 'no terminal\n');
  const done = defer<number>(self.process.clock);
  self.onSignal((signal) => (signal === 'INT' ? done.resolve(130) : say()));
  say();
  return done.promise;
};
const test: Program = async (self) => (self.files.exists(self.argv[1]!) ? 0 : 1);
const programs = {
  '/bin/sleep': sleep,
  '/bin/exit': exit,
  '/bin/env': env,
  '/bin/cat': cat,
  '/bin/write': write,
  '/bin/test': test,
  '/bin/repeat': repeat,
  '/bin/size': size,
  '/bin/server': server,
};

export const testImages: readonly Image[] = [
  defineImage({ names: ['web:1', 'web:2'], sizeBytes: 40_000_000, programs, cmd: ['server'] }),
  defineImage({ names: ['tool', 'tool:1'], sizeBytes: 4_000_000, programs, cmd: ['sleep', '3600'] }),
];
