/**
 * Cassandra's nodes find each other through their seeds and tell each other who is there; `nodetool status` prints the
 * ring. Here simplified: no tables, no CQL; gossip is a question to every known node each two seconds.
 */
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { ms, seconds } from '../../../sim/clock.ts';
import { answerLines, askLine } from './line-protocol.ts';
import { service } from './service.ts';

const DATA = '/cassandra_data/data';
const STORAGE_PORT = 7000;
const JMX_PORT = 7199;
const HEX = '0123456789abcdef';

interface RingNode {
  readonly ip: string;
  readonly id: string;
  /** Up, and a member (normal) or joining. */
  readonly state: 'UN' | 'UJ' | 'DN';
}

export const cassandra = service(async (it) => {
  const { self } = it;
  const { env, files, process } = self;
  const ip = env['POD_IP'] ?? '127.0.0.1';
  const own = `${DATA}/host_id`;
  const luck = process.rng.fork(self.hostname);
  if (!files.exists(own)) files.write(own, [8, 4, 4, 4, 12].map((length) => luck.text(length, HEX)).join('-'));
  const ring = new Map<string, RingNode>([[ip, { ip, id: files.read(own), state: 'UJ' }]]);
  const seeds = (env['CASSANDRA_SEEDS'] ?? '').split(',').filter((seed) => seed !== '' && !seed.startsWith(`${self.hostname}.`));
  const learn = (text: string): void => {
    for (const node of JSON.parse(text || '[]') as readonly RingNode[]) {
      if (node.ip === ip || node.state === 'DN') continue;
      // The same host come back under another address.
      for (const known of [...ring.values()]) if (known.id === node.id && known.ip !== node.ip && known.ip !== ip) ring.delete(known.ip);
      ring.set(node.ip, node);
    }
  };
  const tell = (): string => JSON.stringify([...ring.values()]);
  answerLines(self, STORAGE_PORT, (line) => {
    learn(line);
    return tell();
  });
  answerLines(self, JMX_PORT, () =>
    JSON.stringify({
      cluster: env['CASSANDRA_CLUSTER_NAME'] ?? 'Test Cluster',
      dc: env['CASSANDRA_DC'] ?? 'DC1',
      rack: env['CASSANDRA_RACK'] ?? 'Rack1',
      ring: [...ring.values()],
    }),
  );
  it.out('INFO  Starting listening for CQL clients on /0.0.0.0:9042 (unencrypted)...');
  await process.clock.sleep(seconds(8));
  self.sockets.listen(9042, (connection) => connection.close());
  ring.set(ip, { ...ring.get(ip)!, state: 'UN' });
  const gossip = async (host: string, known?: RingNode): Promise<void> => {
    try {
      learn(await askLine(self, host, STORAGE_PORT, tell(), ms(900)));
    } catch {
      if (known) ring.set(known.ip, { ...known, state: 'DN' });
    }
  };
  const round = (): void => {
    for (const seed of seeds) void gossip(seed);
    for (const node of ring.values()) if (node.ip !== ip) void gossip(node.ip, node);
  };
  round();
  it.every(2, round);
});

async function status(self: ProgramContext): Promise<{ cluster: string; dc: string; rack: string; ring: RingNode[] } | undefined> {
  try {
    return JSON.parse(await askLine(self, '127.0.0.1', JMX_PORT, 'status'));
  } catch {
    return undefined;
  }
}

/** `nodetool status`, `nodetool drain`. */
export const nodetool: Program = async (self) => {
  const found = await status(self);
  if (!found) {
    self.stderr("nodetool: Failed to connect to '127.0.0.1:7199' - ConnectException: 'Connection refused (Connection refused)'.\n");
    return 1;
  }
  if (self.argv[1] !== 'status') return 0;
  const share = `${Math.floor(1000 / found.ring.length) / 10}%`;
  const rows = found.ring.map(({ ip, id, state }) => `${state}  ${ip.padEnd(12)}  83.57 KiB   32      ${share.padEnd(18)}  ${id}  ${found.rack}`).sort();
  self.stdout(
    `Datacenter: ${found.dc}\n======================\nStatus=Up/Down\n|/ State=Normal/Leaving/Joining/Moving\n--  Address       Load        Tokens  Owns (effective)    Host ID                               Rack\n${rows.join('\n')}\n`,
  );
  return 0;
};
