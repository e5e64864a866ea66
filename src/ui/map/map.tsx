// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a picture for the eye; the table twin and the ring carry the words
/**
 * The Map: where does it run? One React Flow instance is the camera and holds the few rich elements (what is selected or
 * hovered, for focus and for assistive technology); one canvas under it draws everything else, straight from the columns.
 */
import { type Node, type NodeProps, ReactFlow, ReactFlowProvider, useReactFlow, useStore, useStoreApi } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useApp, useCluster, useUi } from '../app-context.ts';
import { onLookChange, readPalette, reducedMotion } from '../look/palette.ts';
import { allThings, boxOf, memberThing, nodeThing, podThing, serviceThing, summaryOf, type Thing, thingOf } from '../objects.ts';
import { type Camera, fitTo, type Insets, type Level, levelOf, MAX_ZOOM, MIN_ZOOM, reveal, toScreen, toWorld, zoomAbout, zoomStep } from './camera.ts';
import { draw } from './draw.ts';
import { forgetWidths } from './draw-text.ts';
import { type Beyond, EdgeArrows } from './edge-arrows.tsx';
import { edgesOf } from './edges.ts';
import { meter } from './frame-meter.ts';
import { HoverCard } from './hover-card.tsx';
import { inside, touches } from './layout.ts';
import { Legend } from './legend.tsx';
import css from './map.module.css';
import { Minimap } from './minimap.tsx';
import { type Direction, nearest } from './moves.ts';
import { COMING, type Scene } from './scene.ts';

interface ProxyData extends Record<string, unknown> {
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly tone: 'selected' | 'hovered';
  readonly domId: string;
}

/** Stands exactly over what the canvas drew: its ring, and its name for a screen reader. */
function Ring({ data }: NodeProps<Node<ProxyData>>) {
  // As thin near as it is far: the camera magnifies what it shows, not what points at it.
  const zoom = useStore(({ transform }) => transform[2]);
  const [line, offset] = data.tone === 'selected' ? [2, 1] : [1.5, 0];
  return (
    <div
      id={data.domId}
      role="img"
      aria-label={data.label}
      className={data.tone === 'selected' ? css['ring'] : css['hover']}
      style={{ width: data.width, height: data.height, borderRadius: 6 / zoom, outlineWidth: line / zoom, outlineOffset: offset / zoom }}
    />
  );
}
const nodeTypes = { proxy: Ring };

/** What stands under a point of the world. */
function hit(app: ReturnType<typeof useApp>, x: number, y: number): Thing | undefined {
  const { cluster } = app;
  const state = cluster.store.getState();
  for (const key of state.services.keys()) {
    const box = cluster.layout.serviceBox(key);
    if (box && inside(box, x, y)) return serviceThing(key);
  }
  for (const member of state.members.values()) {
    const box = cluster.layout.memberBox(member);
    if (box && inside(box, x, y)) return memberThing(member.name);
  }
  const place = cluster.layout.locate(x, y);
  if (!place) return undefined;
  if (place.slot >= 0) {
    const pod = cluster.pods.at(place.node, place.slot);
    if (pod !== undefined) return podThing(cluster, pod);
  }
  const node = state.nodes.get(place.node);
  return node && nodeThing(node);
}

function MapInner() {
  const app = useApp();
  const { cluster, ui } = app;
  const flow = useReactFlow();
  const flowStore = useStoreApi();
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hovered, setHovered] = useState<{ readonly thing: Thing; readonly x: number; readonly y: number }>();
  const [beyond, setBeyond] = useState<Beyond>({ left: 0, right: 0, up: 0, down: 0 });
  const selectedId = useUi((state) => state.selected);
  const version = useCluster((state) => state.version);
  const nodeCount = useCluster((state) => state.nodes.size);
  const booted = useCluster((state) => state.booted);
  const fresh = useRef(new Set<string>());
  const wanted = useRef(false);
  const level = useRef<Level>(2);
  const palette = useRef(readPalette());

  const size = useCallback(() => ({ width: stage.current?.clientWidth ?? 800, height: stage.current?.clientHeight ?? 600 }), []);
  const camera = useCallback((): Camera => flow.getViewport(), [flow]);
  const insets = useCallback((): Insets => {
    const { inspector, dock, lessons } = ui.store.getState();
    const { width, height } = size();
    const wide = width > 900;
    return { top: 24, right: wide && inspector.open ? 408 : 24, bottom: dock.open && height > 480 ? 260 + 24 : 56, left: wide && lessons ? 364 : 24 };
  }, [ui, size]);
  /** Where the camera is on its way to: keys pressed faster than it moves add up. */
  const bound = useRef<{ readonly to: Camera; readonly until: number }>(undefined);
  const moveTo = useCallback(
    (to: Camera): void => {
      const duration = reducedMotion() ? 0 : CAMERA_MS;
      bound.current = { to, until: performance.now() + duration };
      void flow.setViewport(to, { duration });
    },
    [flow],
  );
  const goal = useCallback((): Camera => (bound.current && performance.now() < bound.current.until ? bound.current.to : camera()), [camera]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a picture reads everything through refs and stores at the moment it is drawn
  const paint = useCallback((): void => {
    wanted.current = false;
    const element = canvas.current;
    const ctx = element?.getContext('2d');
    if (!element || !ctx) return;
    const started = performance.now();
    const ratio = Math.min(2, devicePixelRatio || 1);
    const { width, height } = size();
    if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
    }
    const state = cluster.store.getState();
    const view = ui.store.getState();
    const at = camera();
    level.current = levelOf(at.zoom, level.current);
    const focusOn = [view.selected, hoverRef.current].filter((id, i, all) => id !== undefined && all.indexOf(id) === i);
    const scene: Scene = {
      layout: cluster.layout,
      nodes: state.nodes,
      services: state.services,
      members: state.members,
      pods: cluster.pods,
      bright: cluster.bright(view.filter, view.namespaces)?.mask,
      edges: focusOn.flatMap((id) => edgesOf(cluster, id)),
      palette: palette.current,
      level: level.current,
      wall: started,
      reduced: reducedMotion(),
      width,
      height,
      ratio,
    };
    const drawn = draw(ctx, scene, at);
    meter.add(performance.now() - started);
    updateBeyond(at, width, height);
    if (drawn.moving) request();
  }, [app]);
  const request = useCallback((): void => {
    if (wanted.current) return;
    wanted.current = true;
    requestAnimationFrame(paint);
  }, [paint]);
  const hoverRef = useRef<string>(undefined);
  hoverRef.current = hovered?.thing.id;

  /** Counts what is new and outside the view; what has been seen is forgotten. */
  const updateBeyond = (at: Camera, width: number, height: number): void => {
    const counts = { left: 0, right: 0, up: 0, down: 0 };
    for (const id of fresh.current) {
      const thing = thingOf(cluster, id);
      const world = thing && boxOf(cluster, thing);
      if (!world) {
        fresh.current.delete(id);
        continue;
      }
      const box = toScreen(world, at);
      if (touches(box, { x: 0, y: 0, w: width, h: height })) fresh.current.delete(id);
      else if (box.x + box.w < 0) counts.left++;
      else if (box.x > width) counts.right++;
      else if (box.y + box.h < 0) counts.up++;
      else counts.down++;
    }
    setBeyond((before) =>
      before.left === counts.left && before.right === counts.right && before.up === counts.up && before.down === counts.down ? before : counts,
    );
  };

  useEffect(() => {
    const stops = [
      cluster.store.subscribe(request),
      ui.store.subscribe(request),
      flowStore.subscribe(request),
      cluster.onNews((news) => {
        if (news.frame.reset) {
          fresh.current.clear();
          return;
        }
        if (fresh.current.size > MOST_FRESH) return;
        for (const index of news.newPods) {
          const id = cluster.pods.records[index]?.uid;
          if (id !== undefined) fresh.current.add(id);
        }
        for (const index of news.newNodes) {
          const node = cluster.store.getState().nodes.get(index);
          if (node) fresh.current.add(nodeThing(node).id);
        }
      }),
      onLookChange(() => {
        palette.current = readPalette();
        request();
      }),
    ];
    const observer = new ResizeObserver(request);
    if (stage.current) observer.observe(stage.current);
    void document.fonts.ready.then(() => {
      forgetWidths();
      request();
    });
    request();
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
    };
  }, [cluster, ui, flowStore, request]);

  const fitAll = useCallback((): void => {
    const { width, height } = size();
    moveTo(fitTo(cluster.layout.extent(cluster.pods.byNode.get(-1)?.length ?? 0), width, height, insets()));
  }, [cluster, insets, moveTo, size]);
  // The first view is fitted once to the cluster the topology promises; after that the camera is the person's alone.
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) return;
    first.current = false;
    const { width, height } = size();
    void flow.setViewport(fitTo(cluster.layout.extent(0), width, height, insets()));
  }, [cluster, flow, insets, size]);

  useEffect(() => {
    app.map = {
      fit: fitAll,
      zoom: (direction) => {
        const { width, height } = size();
        moveTo(direction === 0 ? zoomAbout(goal(), 1, width / 2, height / 2) : zoomStep(goal(), direction, width, height));
      },
      reveal: (id) => {
        const thing = thingOf(cluster, id);
        const box = thing && boxOf(cluster, thing);
        const { width, height } = size();
        if (!box) return;
        const from = goal();
        const to = reveal(box, from, width, height, insets());
        if (to !== from) moveTo(to);
      },
      focus: () => stage.current?.querySelector<HTMLElement>('.react-flow')?.focus(),
    };
    Object.assign(mapProbe, {
      camera,
      podAt: (x: number, y: number) => {
        const at = toWorld(x, y, camera());
        const thing = hit(app, at.x, at.y);
        return thing?.kind === 'pod' ? thing.id : undefined;
      },
      moving: () => {
        if (reducedMotion()) return [];
        const wall = performance.now();
        const found: string[] = [];
        for (let i = 0; i < cluster.pods.length; i++)
          if (cluster.pods.alive[i] && wall - cluster.pods.born[i]! < COMING) found.push(cluster.pods.records[i]?.uid ?? '');
        return found;
      },
    });
    return () => {
      app.map = undefined;
    };
  }, [app, camera, cluster, fitAll, goal, insets, moveTo, size]);

  const under = (event: { clientX: number; clientY: number }): { thing: Thing | undefined; x: number; y: number } => {
    const rect = stage.current!.getBoundingClientRect();
    const x = event.clientX - rect.left;
    const y = event.clientY - rect.top;
    const at = toWorld(x, y, camera());
    return { thing: hit(app, at.x, at.y), x, y };
  };
  const onMove = (event: MouseEvent): void => {
    const { thing, x, y } = under(event);
    setHovered((before) => (thing ? { thing, x, y } : before === undefined ? before : undefined));
    request();
  };
  const openMenu = (thing: Thing, x: number, y: number): void => {
    ui.set({ selected: thing.id, menu: { id: thing.id, x, y } });
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const directions: Partial<Record<string, Direction>> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };
    const direction = directions[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const selected = thingOf(cluster, ui.store.getState().selected);
    if (direction) {
      event.preventDefault();
      const things = allThings(cluster);
      const from = selected && boxOf(cluster, selected);
      if (!selected || !from) {
        const start = things.find((thing) => thing.kind === 'node') ?? things[0];
        if (start) choose(start);
        return;
      }
      // Within a node's grid among its pods; at the grid's edge, on to the next tile.
      const same =
        selected.kind === 'pod' ? things.filter((thing) => thing.kind === 'pod' && cluster.pods.node[thing.index] === cluster.pods.node[selected.index]) : [];
      const toCandidates = (list: readonly Thing[]) =>
        list.filter((thing) => thing.id !== selected.id).flatMap((thing) => (boxOf(cluster, thing) ? [{ id: thing.id, box: boxOf(cluster, thing)! }] : []));
      const found = nearest(from, toCandidates(same), direction) ?? nearest(from, toCandidates(things.filter((thing) => thing.kind !== 'pod')), direction);
      const next = thingOf(cluster, found?.id);
      if (next) choose(next);
      return;
    }
    if (event.key === 'Enter' && selected) {
      event.preventDefault();
      if (selected.kind === 'node') {
        const inner = allThings(cluster).find((thing) => thing.kind === 'pod' && cluster.pods.node[thing.index] === selected.index);
        if (inner) {
          choose(inner);
          return;
        }
      }
      ui.set((state) => ({ inspector: { ...state.inspector, open: true } }));
    } else if (event.key === 'Escape' && selected) {
      event.stopPropagation();
      const node = selected.kind === 'pod' ? cluster.store.getState().nodes.get(cluster.pods.node[selected.index]!) : undefined;
      if (node) choose(nodeThing(node));
      else ui.set((state) => ({ selected: undefined, inspector: { ...state.inspector, open: false } }));
    } else if ((event.key === 'F10' && event.shiftKey) || event.key === 'ContextMenu') {
      event.preventDefault();
      const box = selected && boxOf(cluster, selected);
      if (!selected || !box) return;
      const at = toScreen(box, camera());
      const rect = stage.current!.getBoundingClientRect();
      ui.set({ menu: { id: selected.id, x: rect.left + Math.max(0, at.x + at.w / 2), y: rect.top + Math.max(0, at.y + at.h / 2) } });
    } else if (event.key === 'Delete' && selected?.kind === 'pod') {
      const at = toScreen(boxOf(cluster, selected)!, camera());
      const rect = stage.current!.getBoundingClientRect();
      ui.set({ menu: { id: selected.id, x: rect.left + at.x, y: rect.top + at.y + at.h } });
    }
  };
  const choose = (thing: Thing): void => {
    ui.set({ selected: thing.id });
    // A selection made by keys must stay in sight: this is asked for, so the camera may follow.
    app.map?.reveal(thing.id);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for what the columns hold
  const proxies = useMemo((): Node<ProxyData>[] => {
    const made: Node<ProxyData>[] = [];
    const add = (thing: Thing | undefined, tone: ProxyData['tone']): void => {
      const box = thing && boxOf(cluster, thing);
      const summary = thing && summaryOf(cluster, thing);
      if (!thing || !box || !summary) return;
      const label = `${summary.kind} ${summary.title}, ${summary.word}, ${summary.place}`;
      made.push({
        id: `${tone}`,
        type: 'proxy',
        position: { x: box.x, y: box.y },
        width: box.w,
        height: box.h,
        draggable: false,
        selectable: false,
        focusable: false,
        data: { label, width: box.w, height: box.h, tone, domId: tone === 'selected' ? 'map-active' : 'map-hovered' },
      });
    };
    const selected = thingOf(cluster, selectedId);
    add(selected, 'selected');
    if (hovered && hovered.thing.id !== selectedId) add(hovered.thing, 'hovered');
    return made;
  }, [cluster, selectedId, hovered, version]);

  const hasSelection = proxies.some((proxy) => proxy.id === 'selected');
  return (
    <div ref={stage} className={css['stage']} data-testid="map">
      <canvas ref={canvas} className={css['canvas']} aria-hidden="true" />
      <ReactFlow
        nodes={proxies}
        edges={NO_EDGES}
        nodeTypes={nodeTypes}
        minZoom={MIN_ZOOM}
        maxZoom={MAX_ZOOM}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        panActivationKeyCode={null}
        zoomActivationKeyCode={null}
        onlyRenderVisibleElements={false}
        onPaneMouseMove={onMove}
        onPaneMouseLeave={() => setHovered(undefined)}
        onMoveStart={() => setHovered(undefined)}
        onPaneClick={(event) => {
          const { thing } = under(event);
          if (thing) ui.select(thing.id);
          else ui.set((state) => ({ selected: undefined, inspector: { ...state.inspector, open: false } }));
        }}
        onDoubleClick={(event) => {
          const { thing } = under(event);
          if (thing) ui.set((state) => ({ selected: thing.id, inspector: { ...state.inspector, open: true } }));
        }}
        onPaneContextMenu={(event) => {
          event.preventDefault();
          const { thing } = under(event as MouseEvent);
          if (thing) openMenu(thing, event.clientX, event.clientY);
        }}
        onKeyDown={onKeyDown}
        tabIndex={0}
        aria-label="Map of the cluster. Arrow keys move between objects, Enter opens, Escape goes up, Shift F10 opens the menu."
        aria-activedescendant={hasSelection ? 'map-active' : undefined}
        proOptions={PRO}
        className={css['flow']}
        data-region="map"
      />
      {hovered && <HoverCard thing={hovered.thing} x={hovered.x} y={hovered.y} width={size().width} height={size().height} />}
      <EdgeArrows beyond={beyond} onGo={fitAll} />
      {booted && nodeCount === 0 && (
        <div className={css['empty']} role="status">
          <strong>An empty cluster is starting.</strong>
          <p>Machines appear here as their kubelets register with the API server.</p>
        </div>
      )}
      <div className={css['corner']}>
        <Minimap camera={camera} size={size} onGo={(to) => void flow.setViewport(to)} />
      </div>
      <div className={css['legend']}>
        <Legend />
      </div>
    </div>
  );
}
const NO_EDGES: [] = [];
const CAMERA_MS = 200;
/** More arrivals than this are not counted one by one. */
const MOST_FRESH = 2_000;
const PRO = { hideAttribution: false };

/** What `window.__lab` asks of the map while it is mounted. */
export interface MapProbe {
  camera(): Camera;
  podAt(x: number, y: number): string | undefined;
  moving(): readonly string[];
}
export const mapProbe: Partial<MapProbe> = {};

export function ClusterMap() {
  return (
    <ReactFlowProvider>
      <MapInner />
    </ReactFlowProvider>
  );
}
