import { expect, test } from 'vitest';
import { evaluate } from './check.ts';
import { LessonError, parseLesson } from './lesson.ts';

const pod = (name: string, uid: string, ready: boolean) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid, namespace: 'default', labels: { app: 'web' } },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const a = pod('a', '1', true);
const b = pod('b', '2', true);
const c = pod('c', '3', false);
const isWeb = { 'metadata.labels.app': 'web' };
const isReady = { ...isWeb, 'status.conditions[Ready].status': 'True' };

test.each([
  ['two are ready', { count: 'Pod', where: isReady, is: 2 }, [a, b, c], true],
  ['not three', { count: 'Pod', where: isReady, is: 3 }, [a, b, c], false],
  ['one that was there is gone', { gone: 'Pod', where: isWeb, atLeast: 1 }, [b, c], true],
  ['a replacement under the same name counts as gone', { gone: 'Pod', where: isWeb, atLeast: 1 }, [pod('a', '9', true), b], true],
  ['nobody has gone', { gone: 'Pod', where: isWeb, atLeast: 1 }, [a, b, c], false],
  ['an object with a field', { object: 'Pod/a', where: { 'status.conditions[Ready].status': 'True' } }, [a], true],
  ['an object that is not there', { object: 'Pod/z' }, [a], false],
  ['absent', { absent: 'Deployment/web' }, [a], true],
  ['in another namespace', { object: 'Pod/a', namespace: 'other' }, [a], false],
])('%s', (_, check, now, holds) => {
  expect(evaluate(check, { now, atStart: [a, b] }).holds).toBe(holds);
});

test('a broken lesson is refused with the place of the fault', () => {
  const lesson = {
    id: 'x',
    title: 'x',
    minutes: 1,
    cluster: 'three-nodes',
    intro: 'x',
    outro: 'x',
    steps: [{ title: 'x', text: 'x', hints: ['x'], done: [{ counts: 'Pod' }], solutions: [[{ run: 'true' }]] }],
  };
  expect(() => parseLesson(lesson, 'x.yaml')).toThrow(new LessonError('x.yaml: steps[0].done[0] must be one of object, absent, count, gone'));
  expect(() => parseLesson({ ...lesson, steps: [] }, 'x.yaml')).toThrow('x.yaml: steps must be a list of at least 1');
});
