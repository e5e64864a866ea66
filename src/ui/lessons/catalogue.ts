/** The lessons built into the page, in the order of their files, and what a learner has done of them. */
import { load } from 'js-yaml';
import { type Lesson, parseLesson } from '../../lab/lesson.ts';

const FILES = import.meta.glob<string>('../../../lessons/*/*.yaml', { query: '?raw', import: 'default' });

let lessons: Promise<readonly Lesson[]> | undefined;

/** Rejects with a LessonError that names the file when one of them is broken. */
export function allLessons(): Promise<readonly Lesson[]> {
  lessons ??= Promise.all(
    Object.keys(FILES)
      .sort()
      .map(async (path) => parseLesson(load(await FILES[path]!()), path.replace(/^.*\/lessons\//, ''))),
  );
  return lessons;
}

export async function lessonOf(id: string): Promise<Lesson> {
  const found = (await allLessons()).find((lesson) => lesson.id === id);
  if (!found) throw new Error(`there is no lesson ${id}`);
  return found;
}

export interface Progress {
  /** Steps done in the best run. */
  readonly steps: number;
  readonly done: boolean;
}
const KEY = 'orrery.lessons';

export function progressOf(): Readonly<Record<string, Progress>> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, Progress>;
  } catch {
    return {};
  }
}
export function keepProgress(id: string, progress: Progress): void {
  const all = progressOf();
  const before = all[id];
  const best = { steps: Math.max(before?.steps ?? 0, progress.steps), done: progress.done || (before?.done ?? false) };
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...all, [id]: best }));
  } catch {
    // A page without storage forgets, and teaches all the same.
  }
}
