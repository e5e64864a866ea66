/** KubeSchedulerConfiguration: kubernetes.io "Scheduler Configuration", upstream `apis/config/v1/default_plugins_test.go`, `validation_test.go`. */
import { expect, test } from 'vitest';
import { parseConfig } from './config.ts';
import { defaultProfile } from './profile.ts';

const HEAD = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';
const profile = (yaml: string) => parseConfig(HEAD + yaml).profiles[0]!;
const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);

test('nothing said: the default profile', () => {
  const { profiles, percentageOfNodesToScore, leaderElection } = parseConfig(HEAD);
  expect(profiles).toHaveLength(1);
  const [only] = profiles;
  expect(only!.schedulerName).toBe('default-scheduler');
  expect(names(only!.filter)).toEqual(names(defaultProfile.filter));
  expect(only!.score.map(({ plugin, weight }) => [plugin.name, weight])).toEqual(defaultProfile.score.map(({ plugin, weight }) => [plugin.name, weight]));
  expect([percentageOfNodesToScore, leaderElection.leaderElect]).toEqual([0, true]);
});

test('default_plugins.go: order and weights', () => {
  expect(names(defaultProfile.filter)).toEqual([
    'NodeUnschedulable',
    'NodeName',
    'TaintToleration',
    'NodeAffinity',
    'NodePorts',
    'NodeResourcesFit',
    'VolumeRestrictions',
    'NodeVolumeLimits',
    'VolumeBinding',
    'VolumeZone',
    'PodTopologySpread',
    'InterPodAffinity',
  ]);
  expect(Object.fromEntries(defaultProfile.score.map(({ plugin, weight }) => [plugin.name, weight]))).toMatchObject({
    TaintToleration: 3,
    NodeAffinity: 2,
    NodeResourcesFit: 1,
    PodTopologySpread: 2,
    InterPodAffinity: 2,
    NodeResourcesBalancedAllocation: 1,
    ImageLocality: 1,
  });
  expect([defaultProfile.queueSort.name, ...names(defaultProfile.preEnqueue), ...names(defaultProfile.postFilter), ...names(defaultProfile.bind)]).toEqual([
    'PrioritySort',
    'SchedulingGates',
    'DefaultPreemption',
    'DefaultBinder',
  ]);
});

test('disabled everywhere, disabled at one point, enabled with another weight', () => {
  const { filter, score, preScore } = profile(`profiles:
- plugins:
    multiPoint:
      disabled: [{name: InterPodAffinity}]
      enabled: [{name: NodeAffinity, weight: 9}]
    score:
      disabled: [{name: ImageLocality}]
      enabled: [{name: TaintToleration, weight: 20}]
`);
  expect(names(filter)).not.toContain('InterPodAffinity');
  expect(names(preScore)).toContain('ImageLocality');
  expect(score.map(({ plugin, weight }) => `${plugin.name} ${weight}`)).toEqual([
    'TaintToleration 20',
    'NodeAffinity 9',
    'NodeResourcesFit 1',
    ...score.slice(3).map(({ plugin, weight }) => `${plugin.name} ${weight}`),
  ]);
  expect(score.map(({ plugin }) => plugin.name)).not.toContain('ImageLocality');
});

test('no scoring at all', () => {
  expect(profile('profiles: [{plugins: {preScore: {disabled: [{name: "*"}]}, score: {disabled: [{name: "*"}]}}}]').score).toEqual([]);
});

test('several profiles, each with its name', () => {
  const { profiles, percentageOfNodesToScore } = parseConfig(`${HEAD}percentageOfNodesToScore: 30
profiles:
- schedulerName: default-scheduler
- schedulerName: no-scoring-scheduler
  percentageOfNodesToScore: 5
  plugins: {preScore: {disabled: [{name: '*'}]}, score: {disabled: [{name: '*'}]}}
`);
  expect(profiles.map((each) => [each.schedulerName, each.score.length > 0, each.percentageOfNodesToScore])).toEqual([
    ['default-scheduler', true, undefined],
    ['no-scoring-scheduler', false, 5],
  ]);
  expect(percentageOfNodesToScore).toBe(30);
});

test.each<[string, string, string]>([
  ['another kind', 'apiVersion: v1\nkind: Pod\n', 'no kind "Pod" is registered for version "v1" in scheme "pkg/scheduler/apis/config/scheme/scheme.go:30"'],
  [
    'a version that is gone',
    'apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration\n',
    'no kind "KubeSchedulerConfiguration" is registered for version "kubescheduler.config.k8s.io/v1beta3"',
  ],
  ['two of one name', `${HEAD}profiles: [{schedulerName: a}, {schedulerName: a}]`, 'profiles[1].schedulerName: Duplicate value: "a"'],
  ['no name among several', `${HEAD}profiles: [{schedulerName: a}, {}]`, 'profiles[1].schedulerName: Required value'],
  ['a plugin nobody knows', `${HEAD}profiles: [{plugins: {filter: {enabled: [{name: Foo}]}}}]`, '"Foo" does not exist'],
  [
    'no way to bind',
    `${HEAD}profiles: [{plugins: {bind: {disabled: [{name: '*'}]}}}]`,
    'at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
  ],
  [
    'no way to sort',
    `${HEAD}profiles: [{plugins: {queueSort: {disabled: [{name: '*'}]}}}]`,
    'at least one queue sort plugin is needed for profile with scheduler name "default-scheduler"',
  ],
  ['a percentage beyond 100', `${HEAD}percentageOfNodesToScore: 101`, 'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]'],
  ['no back-off', `${HEAD}podInitialBackoffSeconds: 0`, 'podInitialBackoffSeconds: Invalid value: 0: must be greater than 0'],
  [
    'a back-off that shrinks',
    `${HEAD}podInitialBackoffSeconds: 5\npodMaxBackoffSeconds: 3`,
    'podMaxBackoffSeconds: Invalid value: 3: must be greater than or equal to PodInitialBackoffSeconds',
  ],
  [
    'wrong args',
    `${HEAD}profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]`,
    'hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]',
  ],
])('refused: %s', (_, text, message) => {
  expect(() => parseConfig(text)).toThrow(message);
});
