/**
 * Takes out of an output what two runs of one scenario cannot agree on: ages, times, uids, revisions,
 * random suffixes, addresses, the node luck chose.
 */
import type { Outcome } from './scenario.ts';

const RULES: readonly (readonly [RegExp, string])[] = [
  // What klog says of watches cut off by a time-out comes or not, as the race goes.
  [/^[EWI]\d{4} \d\d:\d\d:\d\d\.\d+ .*\n/gm, ''],
  // The server: a port of the loopback here, the control plane's address there.
  [/https?:\/\/(127\.0\.0\.1:\d+|10\.0\.0\.10:6443)/g, 'SERVER'],
  [/\b(127\.0\.0\.1:\d{4,5}|10\.0\.0\.10:6443)\b/g, 'SERVER'],
  // The home directory, and what `diff` compares.
  [/\/tmp\/orrery-kubectl-\w+\/home|\/home\/you\b/g, 'HOME'],
  [/\b(LIVE|MERGED)-\d+/g, '$1-N'],
  [/\b0xc[0-9a-f]{9}\b/g, 'POINTER'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UID'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?\+0000( UTC)?|Z)?/g, 'TIME'],
  [/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME'],
  [/\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000/g, 'TIME'],
  [/(resourceVersion"?: ?"?)\d+/g, '$1REVISION'],
  [/(Resource Version: +)\d+/g, '$1REVISION'],
  // In go's and jsonpath's prints of objects.
  [/(resourceVersion:)\d+/g, '$1REVISION'],
  [/\b(10\.244)\.\d+\.\d+\b/g, 'POD_IP'],
  [/\b10\.(9[6-9]|10\d|11[01])\.\d+\.\d+\b/g, 'CLUSTER_IP'],
  [/\bnode-[123]\b/g, 'NODE'],
  [/\b10\.0\.0\.1[123]\b/g, 'NODE_IP'],
  [/(containerd:\/\/|sha256:)[0-9a-f]{64}/g, '$1HASH'],
  // Pods of controllers end in five letters of names.go's alphabet; events in the instant of their making.
  [/(?<=-)(?=[a-z0-9]*[0-9bcdfghjklmnpqrstvwxz])[bcdfghjklmnpqrstvwxz2456789]{5}\b(?![-.])/g, 'xxxxx'],
  // A container without its image goes to and fro between the two.
  [/\b(ErrImagePull|ImagePullBackOff)\b/g, 'NO_IMAGE'],
  // Whether the node that luck chose had the image already.
  [/^.*\bPulling image ".*\n/gm, ''],
  [/Container image "[^"\n]+" already present on machine|Successfully pulled image "[^"\n]+" in [^\n]*bytes\./g, 'PULLED'],
  // What a server that nobody asks anything uses, in per cent of little.
  [/\bcpu: \d%\//g, 'cpu: FEW%/'],
  // How long a pull took: Go's time.Duration.
  [/(?<=\bin |\()\d+(\.\d+)?m?s\b/g, 'TOOK'],
  [/\.[0-9a-f]{14,16}\b/g, '.INSTANT'],
  [/\b(nodePort"?: ?)3\d{4}\b/g, '$1PORT'],
  [/(?<=:)3[0-2]\d{3}(?=\/(TCP|UDP))/g, 'PORT'],
];

/** Go's `duration.HumanDuration`, where it stands alone. */
const AGE = /(?<!\bcpu: *|cpu +|[\w.=:/-])(\d+y)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(?![\w.:/-])/g;

const text = (raw: string): string => {
  let out = raw;
  for (const [pattern, word] of RULES) out = out.replace(pattern, word);
  return (
    out
      .replace(AGE, (age) => (age === '' ? '' : 'AGE'))
      .replace(/<invalid>(?= |\n|$)/g, 'AGE')
      // How often somebody was told the same depends on when one looks.
      .replace(/AGE \(x\d+ over AGE\)/g, 'AGE')
  );
};

/** Columns are as wide as their widest cell, and cells were changed. */
const loose = (normalised: string): string =>
  normalised
    .replace(/ {2,}/g, '  ')
    .replace(/ +$/gm, '')
    .replace(/[ \t]*\t[ \t]*/g, '  ');

const sorted = (normalised: string): string => normalised.split('\n').sort().join('\n');

/** The two outcomes with all that may differ taken out: equal when they agree, and readable when they do not. */
export function comparable(real: Outcome, ours: Outcome, unordered: boolean): readonly [Outcome, Outcome] {
  const pair = (a: string, b: string): readonly [string, string] => {
    let [x, y] = [text(a), text(b)];
    if (x !== y) [x, y] = [loose(x), loose(y)];
    if (x !== y && unordered) [x, y] = [sorted(x), sorted(y)];
    return [x, y];
  };
  const [realOut, ourOut] = pair(real.stdout, ours.stdout);
  const [realErr, ourErr] = pair(real.stderr, ours.stderr);
  return [
    { stdout: realOut, stderr: realErr, exitCode: real.exitCode },
    { stdout: ourOut, stderr: ourErr, exitCode: ours.exitCode },
  ];
}
