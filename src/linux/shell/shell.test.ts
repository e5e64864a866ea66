import { describe, expect, it } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import { quietHost, testHost } from '../../sim/test-host.ts';
import { createFiles, type Files } from '../files.ts';
import type { Program } from '../program.ts';
import { SocketError, type Sockets } from '../sockets.ts';
import { applets } from './applets/applets.ts';
import { createTerminal } from './interactive.ts';
import { Machine } from './machine.ts';
import { runCommand, sh } from './shell.ts';

const nowhere: Sockets = {
  listen: () => () => {},
  connect: async (host) => {
    throw new SocketError(host === 'nowhere' ? 'ENOTFOUND' : 'ECONNREFUSED', 'no');
  },
  listenUdp: () => () => {},
  askUdp: async () => '',
  resolve: async (name) => {
    if (name === 'nowhere') throw new SocketError('ENOTFOUND', 'no');
    return ['10.0.0.1'];
  },
};

/** Says a word every second. */
const ticker: Program = async (self) => {
  for (let i = 1; ; i++) {
    await self.process.clock.sleep(seconds(1));
    self.stdout(`tick ${i}\n`);
  }
};

function createMachine(files: Files = createFiles({ '/home/you/.keep': '', '/tmp/.keep': '' })): Machine {
  const programs: Record<string, Program> = { ...applets, sh, bash: sh, ticker };
  return new Machine({
    hostname: 'laptop',
    files,
    sockets: nowhere,
    programs: (name) => (Object.hasOwn(programs, name) ? programs[name] : undefined),
    programNames: Object.keys(programs),
  });
}

const ENV = { HOME: '/home/you', USER: 'you', PATH: '/usr/bin' };

async function run(script: string, options: { files?: Record<string, string>; shell?: string; limit?: number; host?: typeof testHost; stdin?: string } = {}) {
  const loop = new Loop({ seed: 1, host: options.host ?? testHost });
  const files = createFiles({ '/home/you/.keep': '', '/tmp/.keep': '', ...options.files });
  const machine = createMachine(files);
  let result: { stdout: string; stderr: string; exitCode: number } | undefined;
  let at = 0;
  loop.spawn('laptop', async (self) => {
    result = await runCommand(
      {
        self,
        machine,
        env: ENV,
        cwd: '/home/you',
        ...(options.shell ? { shell: options.shell } : {}),
        ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      },
      script,
    );
    at = self.clock.now();
  });
  await loop.run(seconds(options.limit ?? 600));
  expect(loop.lateTouches).toBe(0);
  return { ...result, at, files, hash: loop.hash() };
}

describe('scripts', () => {
  const table: [name: string, script: string, stdout: string, exitCode?: number][] = [
    ['words and quotes', `echo a  b "c  d" 'e $x' f\\ g`, 'a b c  d e $x f g\n'],
    ['variables', 'x=1; y="$x 2"; echo $x-$y "${y}" ${#y}', '1-1 2 1 2 3\n'],
    ['defaults', 'unset x; echo ${x:-d} ${x-e} ${x:=f} $x ${x:+g}', 'd e f f g\n'],
    ['trimming', 'f=/a/b/c.tar.gz; echo ${f##*/} ${f%.*} ${f%%.*} ${f#*/}', 'c.tar.gz /a/b/c.tar /a/b/c a/b/c.tar.gz\n'],
    ['substrings', 's=kubernetes; echo ${s:0:4} ${s: -3} ${s/e/E} ${s//e/E} ${s^^} ${s^}', 'kube tes kubErnetes kubErnEtEs KUBERNETES Kubernetes\n'],
    ['splitting', 'l="a b  c"; for i in $l; do echo "<$i>"; done', '<a>\n<b>\n<c>\n'],
    ['quoted arguments', 'set -- "a b" c; for i in "$@"; do echo "<$i>"; done; echo $#; echo "$*"', '<a b>\n<c>\n2\na b c\n'],
    ['command substitution', 'echo "$(echo hi; echo there)" `echo x`', 'hi\nthere x\n'],
    ['arithmetic', 'n=3; echo $((n*2+1)) $(( (1+2)*3 )) $((7/2)) $((2**8)) $((n>2?1:0)); ((n++)); echo $n', '7 9 3 256 1\n4\n'],
    ['and, or, not', 'true && echo yes || echo no; false && echo yes || echo no; ! false && echo not', 'yes\nno\nnot\n'],
    ['if', 'if [ 1 -gt 2 ]; then echo a; elif [ -z "" ]; then echo b; else echo c; fi', 'b\n'],
    ['while', 'i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done', '1\n3\n'],
    ['until and break', 'i=0; until false; do i=$((i+1)); if [ $i -ge 4 ]; then break; fi; done; echo $i', '4\n'],
    ['for with braces', 'for i in {1..3} x{a,b}; do echo -n "$i "; done', '1 2 3 xa xb '],
    ['c-style for', 'for ((i=0;i<3;i++)); do echo -n $i; done', '012'],
    ['case', 'case web-1 in db*) echo db;; web-[0-9]|api) echo web;; *) echo other;; esac', 'web\n'],
    ['functions', 'f() { local x=2; echo "$1 $x"; return 3; }; x=1; f a; echo $? $x', 'a 2\n3 1\n'],
    ['pipes', 'printf "b\\na\\nb\\n" | sort | uniq -c | sort -rn', '      2 b\n      1 a\n'],
    [
      'redirections',
      'echo one > /tmp/f; echo two >> /tmp/f; cat < /tmp/f; ls /nope > /tmp/g 2>&1; cat /tmp/g',
      "one\ntwo\nls: cannot access '/nope': No such file or directory\n",
    ],
    ['stderr aside', 'ls /nope 2>/dev/null; echo $?', '2\n'],
    ['here-document', 'n=web\ncat <<EOF\nname: $n\n"quoted" \\$x $(echo sub)\nEOF\necho done', 'name: web\n"quoted" $x sub\ndone\n'],
    ['here-document, literal and stripped', "cat <<-'EOF'\n\ta $x\n\tEOF", 'a $x\n'],
    ['here-string', 'cat <<< "hi $USER"', 'hi you\n'],
    ['subshell and group', 'x=1; (x=2; echo $x); echo $x; { x=3; }; echo $x', '2\n1\n3\n'],
    ['globs', 'cd /tmp; touch a.yaml b.yaml c.txt; echo *.yaml [ab]* *.none', 'a.yaml b.yaml a.yaml b.yaml *.none\n'],
    ['conditional', '[[ web-1 == web-* && 3 -gt 2 ]] && echo yes; [[ abc =~ ^a.c$ ]] && echo re', 'yes\nre\n'],
    ['read', 'printf "a b c\\nd\\n" | while read x y; do echo "$x:$y"; done', 'a:b c\nd:\n'],
    ['read with IFS', 'IFS=: read a b <<< "x:y:z"; echo $a $b', 'x y:z\n'],
    [
      'arrays',
      'a=(foo "b c" baz)\ni=1; echo ${a[$i]} $a ${a[-1]} ${#a[@]} ${!a[@]} ${#a[1]}; a+=(x); a[7]=y; for e in "${a[@]}"; do echo "<$e>"; done; echo "${a[*]:1:2}" ${a[i+1]/z/Z}; unset a; echo "${#a[@]}$a"',
      'b c foo baz 3 0 1 2 3\n<foo>\n<b c>\n<baz>\n<x>\n<y>\nb c baz baZ\n0\n',
    ],
    ['an array over several lines', 'a=(\n  one # first\n  two\n)\necho ${a[@]}', 'one two\n'],
    ['basic expressions anchor at their ends only', 'echo \'a$b ^c\' | sed "s/\\$b/-/; s/ ^c$/!/"', 'a-!\n'],
    ['exit code', 'exit 7', '', 7],
    ['errexit', 'set -e; false || true; if false; then :; fi; echo on; false; echo never', 'on\n', 1],
    ['exit trap', 'trap "echo bye" EXIT; echo hi', 'hi\nbye\n'],
    ['pipefail', 'set -o pipefail; false | true; echo $?', '1\n'],
    ['background and wait', 'sleep 2 & sleep 1; echo first; wait; echo both', 'first\nboth\n'],
    ['wait gives the code', '(sleep 1; exit 3) & wait $!; echo $?', '3\n'],
    ['kill a job', 'sleep 100 & kill $!; wait $!; echo $?', '143\n'],
    ['alias', 'alias k=echo\nk hi', 'hi\n'],
    ['eval and type', 'x=y; eval "$x=5"; echo $y; type cd; command -v ls', '5\ncd is a shell builtin\n/usr/bin/ls\n'],
    ['export reaches programs', 'A=1; export B=2; C=3 env | grep -E "^[ABC]="', 'B=2\nC=3\n'],
    ['source', 'echo "v=9; f() { echo f\\$v; }" > /tmp/lib; . /tmp/lib; f', 'f9\n'],
    ['script file', 'printf \'#!/bin/sh\\necho "$0 $1"\\n\' > /tmp/x.sh; sh /tmp/x.sh one; /tmp/x.sh two', '/tmp/x.sh one\n/tmp/x.sh two\n'],
    ['comments and continued lines', 'echo a \\\n b # c\necho d', 'a b\nd\n'],
    ['nested substitution', 'echo "a $(echo "b $(echo c)") d"', 'a b c d\n'],
    ['printf', "printf '%-5s|%3d|%s\\n' ab 7 c d 8 e", 'ab   |  7|c\nd    |  8|e\n'],
    ['date', 'date; date +%F', 'Mon Jan  5 08:00:00 UTC 2026\n2026-01-05\n'],
    ['exec redirect', 'exec > /tmp/out; echo hidden; exec > /dev/stderr; ', ''],
    ['broken pipe ends the writer', 'yes | head -2', 'y\ny\n'],
    ['xargs', 'echo a b c | xargs -n1 echo -', '- a\n- b\n- c\n'],
    ['sed', 'printf "one\\ntwo\\nthree\\n" | sed -e "s/t\\(.\\)/<\\1>/" -e "/one/d"; printf "1\\n2\\n3\\n" | sed -n "2,3p"', '<w>o\n<h>ree\n2\n3\n'],
    ['awk', 'printf "a 1\\nb 2\\n" | awk \'NR>1{print $2, $1} {s+=$2} END{printf "%d\\n", s}\'', '2 b\n3\n'],
    ['grep', 'printf "a\\nB\\nab\\n" | grep -n a; printf "a\\nB\\n" | grep -ic b; echo x | grep -q y; echo $?', '1:a\n3:ab\n1\n1\n'],
    [
      'cut, tr, wc, rev, tac',
      'echo a:b:c | cut -d: -f2-; echo abc | tr a-c A-C; printf "1\\n2\\n" | wc -l; echo abc | rev; printf "1\\n2\\n" | tac',
      'b:c\nABC\n2\ncba\n2\n1\n',
    ],
    ['base64', 'echo -n häl | base64; echo aMOkbA== | base64 -d', 'aMOkbA==\nhäl'],
    ['find', 'mkdir -p /tmp/d/e; touch /tmp/d/x.yaml /tmp/d/e/y.yaml; find /tmp/d -name "*.yaml"', '/tmp/d/e/y.yaml\n/tmp/d/x.yaml\n'],
    ['time', 'x=$( { time sleep 2; } 2>&1 ); echo $x', 'real 0m2.000s user 0m0.000s sys 0m0.000s\n'],
    ['timeout', 'timeout 2 sleep 10; echo $?', '124\n'],
    ['trap on a signal', 'trap "echo term" TERM; kill -TERM $$ ; sleep 1; echo after', 'term\nafter\n'],
  ];
  it.each(table)('%s', async (_, script, stdout, exitCode = 0) => {
    const result = await run(script);
    expect(result.stderr).toBe('');
    expect(result.stdout).toBe(stdout);
    expect(result.exitCode).toBe(exitCode);
  });
});

describe('what goes wrong reads as bash and busybox say it', () => {
  const table: [script: string, stderr: string, exitCode: number, shell?: string][] = [
    ['foo', 'bash: foo: command not found\n', 127],
    ['foo', 'sh: foo: not found\n', 127, 'sh'],
    ['cd /nope', 'bash: cd: /nope: No such file or directory\n', 1],
    ['cd /nope', "sh: cd: can't cd to /nope: No such file or directory\n", 1, 'sh'],
    ['cat /nope', 'cat: /nope: No such file or directory\n', 1],
    ['./nope', 'bash: ./nope: No such file or directory\n', 127],
    ['cat < /nope', 'bash: /nope: No such file or directory\n', 1],
    ['echo x > /no/pe', 'bash: /no/pe: No such file or directory\n', 1],
    ['echo )', "bash: syntax error near unexpected token `)'\n", 2],
    ['if true; then', 'bash: syntax error: unexpected end of file\n', 2],
    ['set -u; echo $nope', 'bash: nope: unbound variable\n', 1],
    ['[ a -eq 1 ]', 'bash: [: a: integer expression expected\n', 2],
    ['curl http://x', 'curl: (7) Failed to connect to x port 80 after 0 ms: Could not connect to server\n', 7],
    ['curl -s http://nowhere', '', 6],
    ['curl http://nowhere', 'curl: (6) Could not resolve host: nowhere\n', 6],
  ];
  it.each(table)('%s', async (script, stderr, exitCode, shell) => {
    const result = await run(script, shell ? { shell } : {});
    expect(result.stderr).toBe(stderr);
    expect(result.exitCode).toBe(exitCode);
  });

  it('busybox wget', async () => {
    const result = await run('wget -qO- http://svc', { files: { '/bin/busybox': '' }, shell: 'sh' });
    expect(result.stderr).toBe("wget: can't connect to remote host (10.0.0.1): Connection refused\n");
  });
});

describe('time', () => {
  it('passes while sleeping, and hardly otherwise', async () => {
    expect((await run('sleep 5')).at).toBeGreaterThan(seconds(5));
    expect((await run('echo hi')).at).toBeLessThan(seconds(0.01));
  });
  it('an endless loop does not stop the world', async () => {
    const result = await run('while :; do :; done', { limit: 0.2 });
    expect(result.exitCode).toBeUndefined();
  });
  it('is the same world however it is settled', async () => {
    const script = 'for i in 1 2 3; do (echo $i; sleep $i) | while read x; do echo "got $x"; done & done; wait; seq 100 | sort -rn | head -3 | cat | tac';
    const exact = await run(script);
    const quiet = await run(script, { host: quietHost });
    expect(quiet.stdout).toBe(exact.stdout);
    expect(quiet.hash).toBe(exact.hash);
  });
});

/** A terminal whose screen is kept as text. */
async function atTerminal(
  steps: (terminal: { type(text: string): Promise<void>; screen(): string; wait(duration: number): Promise<void> }) => Promise<void>,
  columns = 80,
) {
  const loop = new Loop({ seed: 1, host: testHost });
  const machine = createMachine(createFiles({ '/home/you/deploy.yaml': 'x\n', '/home/you/dir/a': '', '/home/you/dir/b': '' }));
  let output = '';
  let terminal!: ReturnType<typeof createTerminal>;
  loop.spawn('laptop', async (self) => {
    terminal = createTerminal({ self, machine, env: ENV, cwd: '/home/you', columns, rows: 24, write: (text) => (output += text) });
    await self.clock.sleep(seconds(100_000));
  });
  await loop.run(seconds(1));
  await steps({
    type: async (text) => {
      await loop.input(() => terminal.keys(text));
      await loop.run(loop.now + seconds(0.1));
    },
    wait: (duration) => loop.run(loop.now + duration),
    screen: () => render(output, columns),
  });
  expect(loop.lateTouches).toBe(0);
}

/** A very small VT: enough to see what a person sees. */
function render(output: string, columns: number): string {
  const rows: string[][] = [[]];
  let row = 0;
  let column = 0;
  const line = () => (rows[row] ??= []);
  for (let i = 0; i < output.length; i++) {
    const c = output[i]!;
    const sequence = /^\x1b\[(\d*)([A-Za-z])/.exec(output.slice(i));
    if (sequence) {
      i += sequence[0].length - 1;
      const n = Number(sequence[1] || 1);
      if (sequence[2] === 'A') row = Math.max(0, row - n);
      else if (sequence[2] === 'C') column += n;
      else if (sequence[2] === 'D') column = Math.max(0, column - n);
      else if (sequence[2] === 'J') {
        if (sequence[1] === '2') rows.length = 0;
        else {
          rows.length = row + 1;
          line().length = Math.min(line().length, column);
        }
      } else if (sequence[2] === 'H') {
        row = 0;
        column = 0;
      }
    } else if (c === '\r') column = 0;
    else if (c === '\n') {
      row++;
      line();
    } else if (c === '\b') column = Math.max(0, column - 1);
    else {
      if (column >= columns) {
        column = 0;
        row++;
      }
      const cells = line();
      while (cells.length < column) cells.push(' ');
      cells[column++] = c;
    }
  }
  return rows.map((cells) => (cells ?? []).join('').trimEnd()).join('\n');
}

describe('the terminal', () => {
  it('edits, runs and remembers', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('ecko hi\x1b[D\x1b[D\x1b[D\x1b[D\x7fh\r');
      expect(screen()).toBe('you@laptop:~$ echo hi\nhi\nyou@laptop:~$');
      await type('cd dir\r\x1b[A\x1b[A\x05 there\r');
      expect(screen()).toBe('you@laptop:~$ echo hi\nhi\nyou@laptop:~$ cd dir\nyou@laptop:~/dir$ echo hi there\nhi there\nyou@laptop:~/dir$');
    });
  });
  it('ctrl-c at the prompt and while a command runs', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('oops\x03');
      await type('ticker | grep --line-buffered 2; echo never\r');
      await type('');
      await type('\x03echo $?\r');
      expect(screen()).toBe('you@laptop:~$ oops^C\nyou@laptop:~$ ticker | grep --line-buffered 2; echo never\n^C\nyou@laptop:~$ echo $?\n130\nyou@laptop:~$');
    });
  });
  it('shows a pipeline as it flows', async () => {
    await atTerminal(async ({ type, screen, wait }) => {
      await type('ticker | grep 2 | sed s/tick/TICK/\r');
      await wait(seconds(3));
      expect(screen()).toContain('TICK 2');
    });
  });
  it('completes commands and files', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('cat dep\t\r');
      expect(screen()).toBe('you@laptop:~$ cat deploy.yaml\nx\nyou@laptop:~$');
      await type('ls d\t\t');
      expect(screen().endsWith('you@laptop:~$ ls d\ndeploy.yaml  dir/\nyou@laptop:~$ ls d')).toBe(true);
    });
  });
  it('asks for more lines, and takes a paste of several', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('for i in 1 2; do\recho $i\rdone\r');
      expect(screen()).toBe('you@laptop:~$ for i in 1 2; do\n> echo $i\n> done\n1\n2\nyou@laptop:~$');
      await type('cat > f <<EOF\nhello\nEOF\ncat f\n');
      expect(screen().endsWith('> hello\n> EOF\nyou@laptop:~$ cat f\nhello\nyou@laptop:~$')).toBe(true);
    });
  });
  it('gives lines to the program in the foreground, and end of input', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('cat\r');
      await type('helo\x7fl\x7flo\r');
      await type('\x04');
      expect(screen()).toBe('you@laptop:~$ cat\nhello\nhello\nyou@laptop:~$');
    });
  });
  it('wraps long lines', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('echo 12345678901234567890\x01\x06\x06\x06\x06\x06XY\r');
      expect(screen()).toBe('you@laptop:~$ echo X\nY1234567890123456789\n0\nXY123456789012345678\n90\nyou@laptop:~$');
    }, 20);
  });
  it('searches backwards', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('echo alpha\recho beta\r\x12alp\r');
      expect(screen().endsWith('you@laptop:~$ echo alpha\nalpha\nyou@laptop:~$')).toBe(true);
    });
  });
  it('runs a shell in the shell', async () => {
    await atTerminal(async ({ type, screen }) => {
      await type('sh\r');
      await type('echo in\rexit\r');
      await type('echo out\r');
      expect(screen()).toBe('you@laptop:~$ sh\n~ $ echo in\nin\n~ $ exit\nyou@laptop:~$ echo out\nout\nyou@laptop:~$');
    });
  });
});
