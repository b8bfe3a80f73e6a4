import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'actionstream.theme';
const stored = localStorage.getItem(KEY);
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

/** Chosen by the reader; `system` follows the setting of the machine. */
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');
/** Whether the page is dark now. Charts are drawn anew when it changes. */
export const isDark = signal(prefersDark.matches);

export function chooseTheme(chosen: Theme): void {
  if (chosen === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, chosen);
  theme.value = chosen;
  applyTheme();
}

export function applyTheme(): void {
  isDark.value = theme.value === 'dark' || (theme.value === 'system' && prefersDark.matches);
  document.documentElement.dataset['theme'] = isDark.value ? 'dark' : 'light';
}

prefersDark.addEventListener('change', applyTheme);
