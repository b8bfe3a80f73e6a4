import '@fontsource-variable/inter/index.css';
import 'uplot/dist/uPlot.min.css';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/charts.css';
import './style/pages.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { connectNow, follow } from './live/store.ts';
import { applyTheme } from './parts/theme.ts';

applyTheme();
const root = document.getElementById('app');
if (root) render(<App />, root);
window.addEventListener('online', connectNow);
void follow(new AbortController().signal);
