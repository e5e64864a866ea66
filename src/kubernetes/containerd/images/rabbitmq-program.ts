/**
 * RabbitMQ: the broker, `rabbitmqctl`, `rabbitmq-diagnostics` and, in the images with management, `rabbitmqadmin` and
 * its page on port 15672.
 *
 * Here simplified: queues behind the default exchange, a protocol of its own, one node. Durable queues lie in a file of
 * /var/lib/rabbitmq; messages of others end with the broker.
 */
import type { HttpResponse } from '../../../linux/http.ts';
import type { Program } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { answerLines, askLine } from './line-protocol.ts';
import { MIB, service } from './service.ts';

const STORE = '/var/lib/rabbitmq/mnesia/queues.json';
interface Queue {
  readonly durable: boolean;
  readonly messages: string[];
}
interface Question {
  readonly user: string;
  readonly password: string;
  readonly verb: 'ping' | 'list' | 'declare' | 'publish' | 'get' | 'purge' | 'delete';
  readonly queue?: string;
  readonly durable?: boolean;
  readonly payload?: string;
  readonly count?: number;
  readonly ack?: boolean;
}
interface Answer {
  readonly error?: string;
  readonly queues?: Readonly<Record<string, number>>;
  readonly messages?: readonly string[];
}

export const rabbitmqServer = (version: string): Program =>
  service(async (it) => {
    const { self } = it;
    const { env, files } = self;
    const user = env['RABBITMQ_DEFAULT_USER'] ?? 'guest';
    const password = env['RABBITMQ_DEFAULT_PASS'] ?? 'guest';
    it.hold(60 * MIB);
    await self.process.clock.sleep(seconds(6));
    const queues = new Map<string, Queue>(files.exists(STORE) ? (JSON.parse(files.read(STORE)) as [string, Queue][]) : []);
    const save = (): void => files.write(STORE, JSON.stringify([...queues].filter(([, queue]) => queue.durable)));
    const answer = (question: Question): Answer => {
      const name = question.queue ?? '';
      const queue = queues.get(name);
      // Nobody logs in as guest from elsewhere: the broker's loopback_users; the image opens it, as here.
      if (question.user !== user || question.password !== password) return { error: 'Access refused: /api/whoami' };
      if (question.verb === 'ping') return {};
      if (question.verb === 'list')
        return { queues: Object.fromEntries([...queues].sort(([a], [b]) => (a < b ? -1 : 1)).map(([each, { messages }]) => [each, messages.length])) };
      if (question.verb === 'declare') {
        if (!queue) queues.set(name, { durable: question.durable ?? true, messages: [] });
      } else if (question.verb === 'publish') {
        if (!queue) return { messages: [] };
        queue.messages.push(question.payload ?? '');
      } else if (!queue) return { error: `NOT_FOUND - no queue '${name}' in vhost '/'` };
      else if (question.verb === 'get') {
        const messages = queue.messages.slice(0, question.count ?? 1);
        if (question.ack) queue.messages.splice(0, messages.length);
        save();
        return { messages };
      } else if (question.verb === 'purge') queue.messages.length = 0;
      else queues.delete(name);
      save();
      return { messages: [''] };
    };
    answerLines(self, 5672, (line) => JSON.stringify(answer(JSON.parse(line) as Question)));
    if (env['RABBITMQ_MANAGEMENT'] === 'true')
      it.http(15672, ({ path }): HttpResponse => {
        if (path === '/api/overview')
          return {
            status: 401,
            headers: { 'WWW-Authenticate': 'Basic realm="RabbitMQ Management"' },
            body: '{"error":"not_authorized","reason":"Login failed"}',
          };
        if (path === '/') return { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<!DOCTYPE html>\n<title>RabbitMQ Management</title>\n' };
        return { status: 404, body: '{"error":"Object Not Found","reason":"Not Found"}' };
      });
    it.out(
      `\n  ##  ##      RabbitMQ ${version}\n  ##  ##\n  ##########  Copyright (c) 2007-2025 Broadcom Inc and/or its subsidiaries\n  ######  ##\n  ##########  Licensed under the MPL 2.0. Website: https://rabbitmq.com\n`,
    );
    it.out(' completed with 4 plugins.');
    it.out(`Server startup complete; ${env['RABBITMQ_MANAGEMENT'] === 'true' ? 4 : 2} plugins started.`);
  });

/** The program of a name: all three ask the broker on this machine, or that of `-H`. */
export const rabbitmqTool: Program = async (self) => {
  const { argv, env } = self;
  const tool = argv[0]!.slice(argv[0]!.lastIndexOf('/') + 1);
  const options = new Map<string, string>();
  const words: string[] = [];
  for (let i = 1; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '-q' || arg === '-s' || arg === '--quiet' || arg === '--silent') options.set('q', '');
    else if (tool === 'rabbitmqadmin' && /^-[uHPpV]$/.test(arg)) options.set(arg.slice(1), argv[++i] ?? '');
    else if (/^--?\w+=/.test(arg)) options.set(arg.replace(/^--?/, '').split('=')[0]!, arg.slice(arg.indexOf('=') + 1));
    else words.push(arg);
  }
  const named = (name: string): string | undefined => words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  // rabbitmqctl needs no password: it shares the Erlang cookie.
  const admin = tool === 'rabbitmqadmin';
  const user = (admin ? (options.get('u') ?? options.get('username')) : env['RABBITMQ_DEFAULT_USER']) ?? 'guest';
  const password = (admin ? (options.get('p') ?? options.get('password')) : env['RABBITMQ_DEFAULT_PASS']) ?? 'guest';
  const host = (admin ? (options.get('H') ?? options.get('host')) : undefined) ?? '127.0.0.1';
  const ask = async (question: Omit<Question, 'user' | 'password'>): Promise<Answer | undefined> => {
    try {
      return JSON.parse(await askLine(self, host, 5672, JSON.stringify({ user, password, ...question }))) as Answer;
    } catch {
      self.stderr(
        admin
          ? '*** Could not connect: [Errno 111] Connection refused\n'
          : `Error: unable to perform an operation on node 'rabbit@${self.hostname}'. Please see diagnostics information and suggestions below.\n`,
      );
      return undefined;
    }
  };
  const failed = admin ? 1 : 69;
  const say = (text: string): void => self.stdout(`${text}\n`);
  const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string => {
    const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]!.length)));
    const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
    const line = (row: readonly string[]): string => `|${row.map((cell, i) => ` ${cell.padEnd(widths[i]!)} `).join('|')}|`;
    return [rule, line(columns), rule, ...rows.map(line), rule].join('\n');
  };
  if (!admin) {
    const [command = ''] = words;
    if (command === 'list_queues') {
      const answer = await ask({ verb: 'list' });
      if (!answer) return failed;
      if (!options.has('q')) say('Timeout: 60.0 seconds ...\nListing queues for vhost / ...');
      say(['name\tmessages', ...Object.entries(answer.queues ?? {}).map(([name, count]) => `${name}\t${count}`)].join('\n'));
      return 0;
    }
    if (!['status', 'ping', 'check_running', 'check_port_connectivity', 'check_local_alarms', 'await_startup', 'node_health_check'].includes(command)) {
      self.stderr(`Command '${command}' not found. \n`);
      return 64;
    }
    if (!(await ask({ verb: 'ping' }))) return failed;
    if (command === 'ping')
      say(
        options.has('q')
          ? 'Ping succeeded'
          : `Will ping rabbit@${self.hostname}. This only checks if the OS process is running and registered with epmd. Timeout: 60000 ms.\nPing succeeded`,
      );
    else if (command === 'status') say(`Status of node rabbit@${self.hostname} ...\nRuntime\n\nOS PID: 1\nRabbitMQ version: ${env['RABBITMQ_VERSION'] ?? ''}`);
    else if (!options.has('q'))
      say(`Checking if RabbitMQ is running on node rabbit@${self.hostname} ...\nRabbitMQ on node rabbit@${self.hostname} is fully booted and running`);
    return 0;
  }
  const [verb = '', what = ''] = words;
  const queue = verb === 'publish' ? named('routing_key') : (named('queue') ?? named('name'));
  let question: Omit<Question, 'user' | 'password'> | undefined;
  if (verb === 'list' && what === 'queues') question = { verb: 'list' };
  else if (queue === undefined) question = undefined;
  else if (verb === 'declare' && what === 'queue') question = { verb, queue, durable: named('durable') !== 'false' };
  else if (verb === 'publish') question = { verb, queue, payload: named('payload') ?? '' };
  else if (verb === 'get') question = { verb, queue, count: Number(named('count') ?? 1), ack: named('ackmode')?.endsWith('requeue_false') ?? false };
  else if ((verb === 'delete' || verb === 'purge') && what === 'queue') question = { verb, queue };
  if (!question) {
    self.stderr(`ERROR: Action '${verb}' not specified or lacks an argument\n`);
    return 1;
  }
  const answer = await ask(question);
  if (!answer) return failed;
  if (answer.error) {
    say(`*** ${answer.error}`);
    return 1;
  }
  if (verb === 'list')
    say(
      table(
        ['name', 'messages'],
        Object.entries(answer.queues ?? {}).map(([name, count]) => [name, String(count)]),
      ),
    );
  else if (verb === 'get')
    say(
      (answer.messages ?? []).length === 0
        ? 'No items'
        : table(
            ['routing_key', 'payload'],
            answer.messages!.map((payload) => [queue!, payload]),
          ),
    );
  else if (verb === 'publish') say(answer.messages!.length > 0 ? 'Message published' : 'Message published but NOT routed');
  else say(`queue ${verb}d`.replace('purged', 'purged'));
  return 0;
};
