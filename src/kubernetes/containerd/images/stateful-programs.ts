/** What `stateful.ts` brings in, in one piece. */
export { cassandra, nodetool } from './cassandra-program.ts';
export { wordpress } from './wordpress-program.ts';
export { startZookeeper, zkCli, zookeeperReady } from './zookeeper-program.ts';
