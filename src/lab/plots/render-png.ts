import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { ResvgRenderOptions } from '@resvg/resvg-wasm';

/** Pixels for each unit of the SVG: sharp on screens of two device pixels a pixel. */
const ZOOM = 2;

/** An SVG as PNG. The letters come from a font that we bring: the same image on every machine. */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg, options } = await (loaded ??= load());
  const renderer = new Resvg(svg, options);
  const image = renderer.render();
  try {
    return image.asPng();
  } finally {
    image.free();
    renderer.free();
  }
}

/** The WebAssembly module can be initialised once in a process. */
let loaded: ReturnType<typeof load> | undefined;

async function load() {
  const require = createRequire(import.meta.url);
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm');
  const fonts = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
    readFile(require.resolve(`dejavu-fonts-ttf/ttf/${name}`)),
  );
  await initWasm(await readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  const options: ResvgRenderOptions = {
    fitTo: { mode: 'zoom', value: ZOOM },
    font: { fontBuffers: await Promise.all(fonts), defaultFontFamily: 'DejaVu Sans' },
  };
  return { Resvg, options };
}
