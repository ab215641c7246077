// Conveniences on top of pages that work without them: copying, keys, theme, links to lines.
(() => {
  const script = document.currentScript;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  const say = text => {
    const box = document.querySelector('.notices');
    box.textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { box.textContent = ''; }, 3000);
  };

  const wake = root => all('.copy[hidden]', root).forEach(button => { button.hidden = false; });

  document.addEventListener('click', event => {
    const copy = event.target.closest('[data-copy]');
    if (copy) {
      navigator.clipboard?.writeText(copy.dataset.copy)
        .then(() => say('Copied'), () => say('The browser does not allow copying here'));
      return;
    }
    // The number of a line is drawn by CSS: a click left of the text names the line in the address.
    const line = event.target.closest('.diff span[id]');
    if (line && event.target === line && getSelection().isCollapsed) {
      const gutter = parseFloat(getComputedStyle(line, '::before').width) || 0;
      if (event.clientX - line.parentElement.getBoundingClientRect().left < gutter) location.hash = line.id;
    }
  });

  const themes = ['auto', 'light', 'dark'];
  const button = document.querySelector('.theme');
  const show = theme => { button.textContent = `Theme: ${theme}`; };
  if (button) {
    const root = document.documentElement;
    button.hidden = false;
    show(root.dataset.theme || 'auto');
    button.addEventListener('click', () => {
      const theme = themes[(themes.indexOf(root.dataset.theme || 'auto') + 1) % themes.length];
      if (theme === 'auto') delete root.dataset.theme; else root.dataset.theme = theme;
      const age = theme === 'auto' ? 0 : 31536000;
      document.cookie = `theme=${theme};path=${script.dataset.cookiePath};max-age=${age};SameSite=Lax`;
      show(theme);
    });
  }

  const step = by => {
    const stops = all('.patches .c-name a, .reply .tools a:first-child');
    if (!stops.length) return false;
    const at = stops.indexOf(document.activeElement);
    const next = stops[Math.max(0, Math.min(stops.length - 1, at < 0 ? 0 : at + by))];
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
    return true;
  };

  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest('input, select, textarea, [contenteditable]')) return;
    if (event.key === 'j' || event.key === 'k') {
      if (step(event.key === 'j' ? 1 : -1)) event.preventDefault();
      return;
    }
    const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    if (target.matches('a')) target.click(); else { target.focus(); target.select?.(); }
  });

  const busy = state => event => {
    const target = event.detail.target;
    if (target?.id === 'results' || target?.id === 'list') {
      document.getElementById('results')?.setAttribute('aria-busy', state);
    }
  };
  document.addEventListener('htmx:beforeRequest', busy('true'));
  document.addEventListener('htmx:afterRequest', busy('false'));
  document.addEventListener('htmx:afterSwap', event => {
    wake(document);
    const total = document.querySelector('#results .total');
    if (total && event.detail.target?.id === 'results') say(total.textContent);
  });
  for (const kind of ['htmx:responseError', 'htmx:sendError', 'htmx:timeout']) {
    document.addEventListener(kind, () => say('That did not work; please reload the page'));
  }
  wake(document);
})();
