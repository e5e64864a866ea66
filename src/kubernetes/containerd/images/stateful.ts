/**
 * Images of the documentation's stateful applications: nginx-slim (StatefulSet Basics), WordPress, Cassandra,
 * ZooKeeper. Their programs are in `stateful-*.ts`, brought in when a container first runs one.
 */
import type { Program } from '../../../linux/program.ts';
import { defineImage, digestOf, type Image, normaliseReference } from '../image.ts';
import { basePrograms, debianFiles } from './base.ts';
import { nginxReleases } from './nginx.ts';

const MIB = 1024 * 1024;
type All = typeof import('./stateful-programs.ts');
const bring =
  (pick: (all: All) => Program): Program =>
  async (self) =>
    pick(await self.process.outside(import('./stateful-programs.ts')))(self);

/** nginx with less around it. */
function slim(tag: string, like: string): readonly Image[] {
  const name = normaliseReference(`registry.k8s.io/nginx-slim:${tag}`);
  const image = nginxReleases({ domain: 'docker.io', path: 'library/nginx', tag: like });
  return image ? [{ ...image, names: [name, normaliseReference(`k8s.gcr.io/nginx-slim:${tag}`)], digest: digestOf(name), sizeBytes: 25_000_000 }] : [];
}

const nodetool = { '/usr/local/bin/nodetool': bring((all) => all.nodetool) };
/** This node is up and normal. */
const READY_PROBE = '#!/bin/bash\nnodetool status | grep -q "^UN *$POD_IP "\n';

export const statefulImages: readonly Image[] = [
  ...slim('0.8', '1.14'),
  ...slim('0.21', '1.21'),
  ...slim('0.24', '1.23'),
  defineImage({
    names: ['wordpress:latest', 'wordpress:6.2.1-apache', 'wordpress:4.8-apache', 'wordpress:6', 'wordpress:apache'],
    sizeBytes: 207_000_000,
    programs: { ...basePrograms, '/usr/local/bin/docker-entrypoint.sh': bring((all) => all.wordpress) },
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['apache2-foreground'],
    workingDir: '/var/www/html',
    files: { ...debianFiles, '/usr/src/wordpress/wp-load.php': '<?php\n', '/usr/src/wordpress/index.php': '<?php\n' },
    ports: [80],
    stopSignal: 'WINCH',
    idle: { memoryBytes: 60 * MIB, cpuMilli: 2 },
  }),
  defineImage({
    names: ['gcr.io/google-samples/cassandra:v13', 'gcr.io/google-samples/cassandra:v14', 'cassandra:latest', 'cassandra:4', 'cassandra:5'],
    sizeBytes: 140_000_000,
    programs: { ...basePrograms, ...nodetool, '/run.sh': bring((all) => all.cassandra) },
    cmd: ['/run.sh'],
    files: { ...debianFiles, '/ready-probe.sh': READY_PROBE },
    ports: [7000, 7001, 7199, 9042],
    idle: { memoryBytes: 700 * MIB, cpuMilli: 20 },
  }),
  defineImage({
    names: ['registry.k8s.io/kubernetes-zookeeper:1.0-3.4.10', 'k8s.gcr.io/kubernetes-zookeeper:1.0-3.4.10'],
    sizeBytes: 151_000_000,
    programs: {
      ...basePrograms,
      '/usr/bin/start-zookeeper': bring((all) => all.startZookeeper),
      '/usr/bin/zookeeper-ready': bring((all) => all.zookeeperReady),
      '/usr/bin/zkCli.sh': bring((all) => all.zkCli),
    },
    cmd: ['sh', '-c', 'start-zookeeper'],
    files: debianFiles,
    ports: [2181, 2888, 3888],
    idle: { memoryBytes: 60 * MIB, cpuMilli: 3 },
  }),
];
