/** Images of the Kubernetes documentation: hello-app, hpa-example (php-apache), echoserver and the pi of the Job page. */
import { defineImage, type Image } from '../image.ts';
import { basePrograms, debianFiles } from './base.ts';
import { bring } from './bring.ts';

const idle = { memoryBytes: 6 * 1024 * 1024, cpuMilli: 1 };
export const sampleImages: readonly Image[] = [
  ...(['1.0', '2.0'] as const).map((version) =>
    defineImage({
      names: [`gcr.io/google-samples/hello-app:${version}`, `us-docker.pkg.dev/google-samples/containers/gke/hello-app:${version}`],
      sizeBytes: 13_746_942,
      programs: { '/hello-app': bring((all) => all.hello(`${version}.0`)) },
      cmd: ['/hello-app'],
      ports: [8080],
      idle,
    }),
  ),
  defineImage({
    names: ['registry.k8s.io/hpa-example'],
    sizeBytes: 213_000_000,
    programs: { ...basePrograms, '/usr/local/bin/apache2-foreground': bring((all) => all.phpApache) },
    cmd: ['apache2-foreground'],
    ports: [80],
    stopSignal: 'WINCH',
    idle,
  }),
  defineImage({
    names: ['registry.k8s.io/echoserver:1.4', 'registry.k8s.io/echoserver:1.10'],
    sizeBytes: 45_500_000,
    programs: { ...basePrograms, '/usr/local/bin/run.sh': bring((all) => all.echoserver) },
    cmd: ['/usr/local/bin/run.sh'],
    ports: [8080],
    stopSignal: 'QUIT',
    idle,
  }),
  // Of this project: an issuer of ID tokens for --oidc-issuer-url.
  defineImage({
    names: ['orrery/oidc-issuer:1.0', 'orrery/oidc-issuer:latest'],
    sizeBytes: 9_000_000,
    programs: { ...basePrograms, '/oidc-issuer': bring((all) => all.oidcIssuer) },
    entrypoint: ['/oidc-issuer'],
    ports: [443],
    idle,
  }),
  defineImage({
    names: ['perl:5.34.0', 'perl:5.34', 'perl:latest'],
    sizeBytes: 336_000_000,
    programs: { ...basePrograms, '/usr/local/bin/perl': bring((all) => all.perl) },
    cmd: ['perl', '-de0'],
    files: debianFiles,
  }),
];
