import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Route, Switch, useLocation } from 'wouter-preact';
import { ConnectionBanner } from './parts/connection-banner.tsx';
import { Navigation } from './parts/navigation.tsx';
import { NewestAction } from './parts/newest-action.tsx';
import { Empty } from './parts/notices.tsx';
import { TokenDialog } from './parts/token-dialog.tsx';
import { EventPage } from './pages/event.tsx';
import { HistoryPage } from './pages/history.tsx';
import { SavingsPage } from './pages/savings.tsx';
import { StreamPage } from './pages/stream.tsx';
import { SystemPage } from './pages/system.tsx';
import { WallPage } from './pages/wall.tsx';

export function App() {
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Navigation />
      <Main>
        <ConnectionBanner />
        <Switch>
          <Route path="/" component={WallPage} />
          <Route path="/streams/:id">{({ id }) => <StreamPage key={id} id={id} />}</Route>
          <Route path="/events" component={HistoryPage} />
          <Route path="/events/:id">{({ id }) => <EventPage key={id} id={id} />}</Route>
          <Route path="/savings" component={SavingsPage} />
          <Route path="/system" component={SystemPage} />
          <Route>
            <Empty title="There is no such page">
              <a href="/">Go to the wall of cameras</a>
            </Empty>
          </Route>
        </Switch>
      </Main>
      <NewestAction />
      <TokenDialog />
    </div>
  );
}

/** Another page begins at its top, and keyboards and screen readers begin there too. */
function Main({ children }: { readonly children: ComponentChildren }) {
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [path]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      {children}
    </main>
  );
}
