/** One xterm on one terminal of the world: sizes, colours, keys out, text in. Knows nothing of React. */
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal as Xterm } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { World } from '../../hosts/connect.ts';
import { onLookChange, readPalette } from '../look/palette.ts';
import { terminalOpened } from './typing.ts';

const FONT_SIZE = 13;
/** Two Escapes within this leave the terminal. */
const DOUBLE_ESCAPE_MS = 600;

const LIGHT = {
  black: '#14202b',
  red: '#b0250b',
  green: '#0c675a',
  yellow: '#8a5200',
  blue: '#005fb8',
  magenta: '#6b3fa0',
  cyan: '#00697a',
  white: '#4a5665',
  brightBlack: '#5b6775',
  brightRed: '#c8321a',
  brightGreen: '#0f7a4f',
  brightYellow: '#9a5c00',
  brightBlue: '#0a6fd0',
  brightMagenta: '#8049bd',
  brightCyan: '#007c90',
  brightWhite: '#14202b',
} as const;
const DARK = {
  black: '#243240',
  red: '#ff8b78',
  green: '#7fd6a8',
  yellow: '#f7b108',
  blue: '#7cc4ff',
  magenta: '#c9a8f2',
  cyan: '#6fd8e6',
  white: '#b4c0cc',
  brightBlack: '#8b97a6',
  brightRed: '#ffa697',
  brightGreen: '#9be8c0',
  brightYellow: '#ffd15c',
  brightBlue: '#a8d8ff',
  brightMagenta: '#dcc4f8',
  brightCyan: '#98e6f0',
  brightWhite: '#eaf0f6',
} as const;

function theme(): ITheme {
  const palette = readPalette();
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  const dark = scheme === 'dark' || (scheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  return {
    ...(dark ? DARK : LIGHT),
    background: palette.paper,
    foreground: palette.ink,
    cursor: palette.focus,
    cursorAccent: palette.paper,
    selectionBackground: dark ? '#1f4a70' : '#cfe6fb',
    selectionInactiveBackground: palette.sunken,
    scrollbarSliderBackground: dark ? '#8b97a655' : '#7a849155',
    scrollbarSliderHoverBackground: dark ? '#8b97a6' : '#7a8491',
    scrollbarSliderActiveBackground: dark ? '#8b97a6' : '#7a8491',
  };
}

export class Screen {
  private readonly xterm: Xterm;
  private readonly fit = new FitAddon();
  private readonly stops: (() => void)[] = [];
  private size = '';
  private lastEscape = Number.NEGATIVE_INFINITY;
  private disposed = false;

  constructor(
    private readonly parent: HTMLElement,
    private readonly world: World,
    private readonly name: string,
    private readonly leave: () => void,
  ) {
    this.xterm = new Xterm({
      screenReaderMode: true,
      fontFamily: readPalette().mono,
      fontSize: FONT_SIZE,
      lineHeight: 1.25,
      cursorBlink: false,
      cursorStyle: 'bar',
      cursorWidth: 2,
      scrollback: 5_000,
      minimumContrastRatio: 4.5,
      macOptionIsMeta: true,
      theme: theme(),
    });
    this.xterm.loadAddon(this.fit);
    this.xterm.attachCustomKeyEventHandler((event) => this.takesKey(event));
    const terminal = world.terminal(name);
    const typed = this.xterm.onData((keys) => terminal.write(keys));
    // What arrives before the first measure is kept by xterm itself.
    this.stops.push(
      () => typed.dispose(),
      terminal.onText((text) => this.xterm.write(text)),
      onLookChange(() => {
        this.xterm.options.theme = theme();
      }),
      // A new world has a new shell behind the same name.
      world.onFrame((frame) => {
        if (!frame.reset || this.size === '') return;
        this.xterm.reset();
        this.size = '';
        this.measure();
      }),
    );
  }

  /** Draws and tells the world the size, which opens the terminal there. Waits for the font, since its width is the cell's. */
  async open(): Promise<void> {
    await document.fonts.load(`${FONT_SIZE}px "JetBrains Mono"`).catch(() => []);
    if (this.disposed) return;
    this.xterm.open(this.parent);
    this.xterm.textarea?.setAttribute('aria-label', `Terminal on ${this.name}. Press Escape twice or F6 to leave.`);
    const observer = new ResizeObserver(() => this.measure());
    observer.observe(this.parent);
    this.stops.push(() => observer.disconnect());
    this.measure();
  }

  focus(): void {
    this.xterm.focus();
  }

  dispose(): void {
    this.disposed = true;
    for (const stop of this.stops) stop();
    this.xterm.dispose();
  }

  private measure(): void {
    // Hidden: keep the size it had.
    if (this.parent.clientWidth === 0 || this.parent.clientHeight === 0) return;
    this.fit.fit();
    const { cols, rows } = this.xterm;
    if (this.size === `${cols}x${rows}`) return;
    this.size = `${cols}x${rows}`;
    this.world.terminal(this.name).resize(cols, rows);
    terminalOpened(this.world, this.name);
  }

  /** False: xterm leaves the key alone, so that the page or the browser may have it. */
  private takesKey(event: KeyboardEvent): boolean {
    if (event.key === 'F6') return false;
    if (event.type !== 'keydown') return true;
    if (event.key === 'Escape') {
      const again = event.timeStamp - this.lastEscape < DOUBLE_ESCAPE_MS;
      this.lastEscape = again ? Number.NEGATIVE_INFINITY : event.timeStamp;
      if (!again) return true;
      event.preventDefault();
      this.leave();
      return false;
    }
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    // Copy what is marked, paste: the browser's own; without a mark Ctrl-C is the interrupt.
    if (control && key === 'c' && this.xterm.hasSelection()) return false;
    if (control && key === 'v') return false;
    if (event.metaKey && key === 'k') return false;
    return true;
  }
}
