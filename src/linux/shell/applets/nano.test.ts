import { describe, expect, it } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { Loop } from '../../../sim/loop.ts';
import { testHost } from '../../../sim/test-host.ts';
import { createFiles, type Files } from '../../files.ts';
import type { Program } from '../../program.ts';
import { SocketError, type Sockets } from '../../sockets.ts';
import { createTerminal } from '../interactive.ts';
import { Machine } from '../machine.ts';
import { screenOf } from '../screen.test-support.ts';
import { runCommand, sh } from '../shell.ts';
import { nano } from './nano.ts';

const nowhere: Sockets = {
  listen: () => () => {},
  connect: async () => {
    throw new SocketError('ECONNREFUSED', 'no');
  },
  listenUdp: () => () => {},
  askUdp: async () => '',
  resolve: async () => [],
};
const machineWith = (files: Files): Machine => {
  const programs: Readonly<Record<string, Program>> = { nano, sh, bash: sh };
  return new Machine({ hostname: 'laptop', files, sockets: nowhere, programs: (name) => programs[name] });
};
const ENV = { HOME: '/home/you', USER: 'you', PS1: '$ ' };
const SAMPLE = {
  '/home/you/t.txt': 'one\ntwo\tx\nthree long line with words\n',
  '/home/you/n.txt': Array.from({ length: 100 }, (_, i) => `${i + 1}\n`).join(''),
};

interface Seat {
  type(...keys: string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Rows with reverse video between braces. */
  screen(): readonly string[];
  cursor(): readonly [row: number, column: number];
  readonly files: Files;
}

/** A person at a terminal. */
async function sit(story: (seat: Seat) => Promise<void>, rows = 10, columns = 80): Promise<void> {
  const loop = new Loop({ seed: 1, host: testHost });
  const files = createFiles(SAMPLE);
  let output = '';
  const size = { columns, rows };
  let terminal!: ReturnType<typeof createTerminal>;
  loop.spawn('laptop', async (self) => {
    terminal = createTerminal({ self, machine: machineWith(files), env: ENV, cwd: '/home/you', columns, rows, write: (text) => (output += text) });
    await self.clock.sleep(seconds(100_000));
  });
  await loop.run(seconds(1));
  const settle = () => loop.run(loop.now + seconds(0.1));
  const see = () => screenOf(output, size.columns, size.rows, true);
  await story({
    type: async (...keys) => {
      for (const key of keys) {
        await loop.input(() => terminal.keys(key));
        await settle();
      }
    },
    resize: async (wide, high) => {
      await loop.input(() => terminal.resize(wide, high));
      Object.assign(size, { columns: wide, rows: high });
      await settle();
    },
    screen: () => see().rows,
    cursor: () => [see().row, see().column],
    files,
  });
  expect(loop.lateTouches).toBe(0);
}

const UP = '\x1b[A';
const DOWN = '\x1b[B';
const title = (line: string) => line.replace(/[{}]/g, '').trim().replace(/ {2,}/g, ' | ');

describe('nano', () => {
  it('opens, edits, saves and leaves, and the shell has its screen back', async () => {
    await sit(async ({ type, screen, cursor, files }) => {
      await type('nano t.txt\r');
      expect(screen()).toEqual([
        '{  GNU nano 7.2                         t.txt                                    }',
        'one',
        'two     x',
        'three long line with words',
        '',
        '',
        '',
        '                                {[ Read 3 lines ]}',
        '{^O} Write Out    {^W} Where Is     {^K} Cut          {^C} Location     {M-U} Undo',
        '{^X} Exit         {M-W} Next        {^U} Paste        {^/} Go To Line   {M-E} Redo',
      ]);
      await type('abc', DOWN, '\x05', '\t!\r', '\x7f', UP, '\x01', '\x1b[3~');
      expect(screen()[0]).toBe('{  GNU nano 7.2                         t.txt                          Modified  }');
      expect(screen().slice(1, 4)).toEqual(['bcone', 'two     x       !', 'three long line with words']);
      await type('\x18');
      expect(screen().slice(-3)).toEqual([`{${'Save modified buffer?'.padEnd(80)}}`, '{ Y} Yes', '{ N} No           {^C} Cancel']);
      expect(cursor()).toEqual([7, 22]);
      await type('\x03');
      expect(screen()[7]).toBe('                                 {[ Cancelled ]}');
      await type('\x18', 'y');
      expect(screen()[7]).toBe(`{${'File Name to Write: t.txt'.padEnd(80)}}`);
      await type('\r', 'echo $?\r');
      expect(screen().filter((line) => line !== '')).toEqual(['$ nano t.txt', '$ echo $?', '0', '$']);
      expect(files.read('/home/you/t.txt')).toBe('bcone\ntwo\tx\t!\nthree long line with words\n');
    });
  });

  it('leaves without saving', async () => {
    await sit(async ({ type, screen, files }) => {
      await type('nano t.txt\r', 'x', '\x18', 'n', 'echo back\r');
      expect(screen().filter((line) => line !== '')).toEqual(['$ nano t.txt', '$ echo back', 'back', '$']);
      expect(files.read('/home/you/t.txt')).toBe(SAMPLE['/home/you/t.txt']);
    });
  });

  it('another name wants a yes, a file that is there another one', async () => {
    await sit(async ({ type, screen, files }) => {
      await type('nano t.txt\r', 'x', '\x0f', '\x7f'.repeat(5), 'n.txt\r');
      expect(screen()[7]).toContain('Save file under DIFFERENT NAME?');
      await type('y');
      expect(screen()[7]).toContain('File "n.txt" exists; OVERWRITE?');
      await type('n');
      expect(screen()[7]).toContain('File Name to Write: n.txt');
      await type('\x7f'.repeat(5), 'new.txt\r', 'y');
      expect(screen()[7]).toBe('                               {[ Wrote 3 lines ]}');
      expect(title(screen()[0]!)).toBe('GNU nano 7.2 | new.txt');
      expect(files.read('/home/you/new.txt')).toBe(`x${SAMPLE['/home/you/t.txt']}`);
      await type('\x0f', '\x7f'.repeat(7), '/nowhere/x\r', 'y');
      expect(screen()[7]).toBe('            {[ Error writing /nowhere/x: No such file or directory ]}');
    });
  });

  it('cuts, pastes, undoes and does again', async () => {
    await sit(async ({ type, screen }) => {
      const text = () => screen().slice(1, 6);
      await type('nano t.txt\r', '\x0b', '\x0b', DOWN, '\x15');
      expect(text()).toEqual(['three long line with words', 'one', 'two     x', '', '']);
      const said: string[] = [];
      for (const key of ['\x1bu', '\x1bu', '\x1bu', '\x1bu', '\x1be']) {
        await type(key);
        said.push(title(screen()[7]!));
      }
      expect(said).toEqual(['[ Undid paste ]', '[ Undid cut ]', '[ Undid cut ]', '[ Nothing to undo ]', '[ Redid cut ]']);
      expect(text()).toEqual(['two     x', 'three long line with words', '', '', '']);
      await type(DOWN, DOWN, '\x0b');
      expect(screen()[7]).toContain('[ Nothing was cut ]');
      await type('ab', '\x7f', '\x1bu');
      expect(screen()[7]).toContain('[ Undid deletion ]');
      await type('\x1bu');
      expect(screen()[7]).toContain('[ Undid addition ]');
    });
  });

  it.each([
    ['at the top', [], 'line  1/4 (25%), col  1/ 4 ( 25%), char  0/37 ( 0%)'],
    ['after a tab', [DOWN, '\x05'], 'line  2/4 (50%), col 10/10 (100%), char  9/37 (24%)'],
    ['at the end', ['\x1b/'], 'line  4/4 (100%), col  1/ 1 (100%), char 37/37 (100%)'],
  ])('location %s', async (_, keys, wanted) => {
    await sit(async ({ type, screen }) => {
      await type('nano t.txt\r', ...keys, '\x03');
      expect(screen()[7]).toContain(`[ ${wanted} ]`);
    });
  });

  it.each([
    ['the first', ['\x17', 'THREE\r'], [3, 0], '', '{three} long line with words'],
    ['not there', ['\x17', 'zzz\r'], [1, 0], '[ "zzz" not found ]', 'three long line with words'],
    ['wrapped', [DOWN, DOWN, '\x17', 'one\r'], [1, 0], '[ Search Wrapped ]', 'three long line with words'],
    ['the only one', ['\x17', 'three\r', '\x17', '\r'], [3, 0], '[ This is the only occurrence ]', '{three} long line with words'],
    ['again', ['\x17', 'o\r', '\x1bw'], [3, 7], '', 'three l{o}ng line with words'],
    ['nothing', ['\x1bw'], [1, 0], '[ No current search pattern ]', 'three long line with words'],
    ['a line', ['\x1f', '2,3\r'], [2, 2], '', 'three long line with words'],
    ['no line', ['\x1f', 'x\r'], [1, 0], '[ Invalid line or column number ]', 'three long line with words'],
  ])('goes to %s', async (_, keys, at, message, third) => {
    await sit(async ({ type, screen, cursor }) => {
      await type('nano t.txt\r', ...(message === '' ? [...keys] : keys));
      expect(cursor()).toEqual(at);
      if (message !== '') expect(title(screen()[7]!)).toBe(message);
      expect(screen()[3]).toBe(third);
    });
  });

  it('scrolls by pages and lines', async () => {
    await sit(async ({ type, screen, cursor }) => {
      const top = () => [screen()[1], ...cursor()];
      await type('nano n.txt\r', '\x1b[6~');
      expect(top()).toEqual(['7', 1, 0]);
      await type('\x1b[6~', DOWN.repeat(6), '\x1b[5~');
      expect(top()).toEqual(['7', 7, 0]);
      await type(UP.repeat(7));
      expect(top()).toEqual(['6', 1, 0]);
      await type('\x1f', '50\r');
      expect(top()).toEqual(['46', 5, 0]);
    }, 12);
  });

  it('long lines show their part around the cursor', async () => {
    await sit(
      async ({ type, screen, cursor, files }) => {
        files.write('/home/you/l.txt', `${'a'.repeat(100)}END\nshort\n`);
        await type('nano l.txt\r');
        expect(screen()[0]).toBe('{  GNU nano 7.2     l.txt                }');
        expect(screen()[1]).toBe(`${'a'.repeat(39)}{>}`);
        await type('\x05');
        expect([screen()[1], ...cursor()]).toEqual(['{<}aaaEND', 1, 7]);
        await type('\x1b[D'.repeat(5));
        expect([screen()[1], ...cursor()]).toEqual([`{<}${'a'.repeat(35)}END`, 1, 34]);
        await type(DOWN);
        expect([screen()[1], ...cursor()]).toEqual([`${'a'.repeat(39)}{>}`, 2, 5]);
      },
      10,
      40,
    );
  });

  it('follows the size of the window', async () => {
    await sit(async ({ type, resize, screen }) => {
      await type('nano n.txt\r', DOWN.repeat(5));
      await resize(40, 8);
      expect(screen()).toEqual([
        '{  GNU nano 7.2     n.txt                }',
        '3',
        '4',
        '5',
        '6',
        '           {[ Read 100 lines ]}',
        '{^O} Write O{^W} Where I{^K} Cut    {^C} Locatio',
        '{^X} Exit   {M-W} Next  {^U} Paste  {^/} Go To L',
      ]);
    });
  });

  it('takes a paste as it is', async () => {
    await sit(async ({ type, files }) => {
      await type('nano new.yaml\r', '\x1b[200~a:\r  b: 1\r\x1b[201~', '\x18', 'y', '\r');
      expect(files.read('/home/you/new.yaml')).toBe('a:\n  b: 1\n');
      await type('nano typed.yaml\r', 'a:\r', '\x18', 'y', '\r', 'nano joined.yaml\r', 'a:\r', '\x7f', '\x18', 'y', '\r');
      expect(['typed', 'joined'].map((name) => files.read(`/home/you/${name}.yaml`))).toEqual(['a:\n\n', 'a:\n']);
    });
  });

  it('a directory, a new file, no name', async () => {
    await sit(async ({ type, screen }) => {
      const seen: string[][] = [];
      for (const line of ['nano /home', 'nano new', 'nano /x/y', 'nano']) {
        await type(`${line}\r`);
        seen.push([title(screen()[0]!), title(screen()[7]!)]);
        await type('\x18');
      }
      expect(seen).toEqual([
        ['GNU nano 7.2 | New Buffer', '[ "/home" is a directory ]'],
        ['GNU nano 7.2 | new', '[ New File ]'],
        ['GNU nano 7.2 | /x/y', "[ Directory '/x' does not exist ]"],
        ['GNU nano 7.2 | New Buffer', ''],
      ]);
    });
  });

  it('wants a terminal', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    let result: unknown;
    loop.spawn('laptop', async (self) => {
      result = await runCommand({ self, machine: machineWith(createFiles(SAMPLE)), env: ENV, cwd: '/home/you' }, 'nano t.txt');
    });
    await loop.run(seconds(1));
    expect(result).toEqual({ stdout: '', stderr: 'Standard input is not a terminal\n', exitCode: 1 });
  });
});
