import {
  ChartNoAxesColumn,
  History,
  LayoutGrid,
  Moon,
  ServerCog,
  Sun,
  SunMoon,
  type LucideIcon,
} from 'lucide-preact';
import { Link, useLocation } from 'wouter-preact';
import { chooseTheme, theme, type Theme } from './theme.ts';

const PLACES: readonly { readonly href: string; readonly name: string; readonly Icon: LucideIcon }[] = [
  { href: '/', name: 'Wall', Icon: LayoutGrid },
  { href: '/events', name: 'History', Icon: History },
  { href: '/savings', name: 'Savings', Icon: ChartNoAxesColumn },
  { href: '/system', name: 'System', Icon: ServerCog },
];

export function Navigation() {
  const [path] = useLocation();
  return (
    <header class="bar">
      <Link href="/" className="brand" aria-label="actionstream, to the wall">
        <img src="/favicon.svg" alt="" width="28" height="28" />
        <span>actionstream</span>
      </Link>
      <nav aria-label="Pages">
        {PLACES.map(({ href, name, Icon }) => (
          <Link key={href} href={href} className="place" aria-current={isIn(path, href) ? 'page' : undefined}>
            <Icon aria-hidden="true" size={19} />
            <span>{name}</span>
          </Link>
        ))}
      </nav>
      <ThemeSwitch />
    </header>
  );
}

/** A stream is a part of the wall. */
function isIn(path: string, href: string): boolean {
  return href === '/' ? path === '/' || path.startsWith('/streams') : path.startsWith(href);
}

const THEMES: Readonly<
  Record<Theme, { readonly next: Theme; readonly name: string; readonly Icon: LucideIcon }>
> = {
  system: { next: 'light', name: 'Theme: as the system', Icon: SunMoon },
  light: { next: 'dark', name: 'Theme: light', Icon: Sun },
  dark: { next: 'system', name: 'Theme: dark', Icon: Moon },
};

function ThemeSwitch() {
  const { next, name, Icon } = THEMES[theme.value];
  return (
    <button
      type="button"
      class="quiet theme"
      title={name}
      aria-label={`${name}. Change`}
      onClick={() => {
        chooseTheme(next);
      }}
    >
      <Icon aria-hidden="true" size={19} />
    </button>
  );
}
