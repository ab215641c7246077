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

  const wake = root => {
    all('.copy[hidden], .keys[hidden], .every[hidden], .series-box[hidden], .by-drag[hidden]', root).forEach(button => { button.hidden = false; });
    all('.by-drag', root).length && all('tr:has(.c-place)', root).forEach(row => { if (row.dataset.patchId) row.draggable = true; });
    count();
  };

  // Selecting rows: how many, all shown, from the last one to this one.
  const rowBoxes = 'td.c-box input:not(.series-box)';
  const boxes = () => all(rowBoxes);
  const count = () => {
    const ticked = boxes().filter(box => box.checked).length;
    all('.picked output').forEach(output => {
      output.hidden = false;
      output.textContent = `${ticked} selected`;
    });
    all('.every, .series-box').forEach(every => {
      const own = all(rowBoxes, every.closest(every.matches('.every') ? 'table' : 'tbody'));
      every.checked = own.length > 0 && own.every(box => box.checked);
      every.indeterminate = !every.checked && own.some(box => box.checked);
    });
  };
  let last = null;
  document.addEventListener('click', event => {
    const box = event.target.closest?.('.c-box input');
    if (!box) return;
    if (box.matches('.every, .series-box')) {
      all(rowBoxes, box.closest(box.matches('.every') ? 'table' : 'tbody')).forEach(other => { other.checked = box.checked; });
    } else {
      const found = boxes();
      const [from, to] = [found.indexOf(last), found.indexOf(box)].sort((a, b) => a - b);
      if (event.shiftKey && from >= 0) found.slice(from, to).forEach(other => { other.checked = box.checked; });
      last = box;
    }
    count();
  });
  document.addEventListener('change', event => { if (event.target.closest?.('.c-box')) count(); });

  // Dragging the rows of a bundle: each carries its place in the form, so that order is what is sent.
  let dragged = null;
  document.addEventListener('dragstart', event => {
    dragged = event.target.closest?.('tr[draggable="true"]') ?? null;
    dragged?.classList.add('dragged');
  });
  document.addEventListener('dragover', event => {
    const row = dragged && event.target.closest?.('tr[draggable="true"]');
    if (!row) return;
    event.preventDefault();
    const { top, height } = row.getBoundingClientRect();
    if (row !== dragged) row[event.clientY < top + height / 2 ? 'before' : 'after'](dragged);
  });
  document.addEventListener('drop', event => { if (dragged) event.preventDefault(); });
  document.addEventListener('dragend', () => {
    if (!dragged) return;
    dragged.classList.remove('dragged');
    dragged = null;
    const form = document.getElementById('order');
    // What was typed into the numbers is not meant now.
    all('.c-place input:not([type="hidden"])').forEach(input => { input.value = input.defaultValue; });
    form?.requestSubmit();
  });

  // Who may be meant, after three letters and a pause.
  document.addEventListener('input', event => {
    const field = event.target.closest?.('[data-suggest]');
    if (!field) return;
    clearTimeout(field.timer);
    const text = field.value.trim();
    if (text.length < 3) return;
    field.timer = setTimeout(async () => {
      const answer = await fetch(`${field.dataset.suggest}&l=10&q=${encodeURIComponent(text)}`).catch(() => null);
      if (!answer?.ok) return;
      const people = await answer.json();
      field.list?.replaceChildren(...people.map(({ name, email }) => {
        const option = document.createElement('option');
        option.value = name || email;
        option.label = name ? `${name} ${email}` : email;
        return option;
      }));
    }, 200);
  });

  document.addEventListener('click', event => {
    if (event.target.closest('.keys')) {
      help();
      return;
    }
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

  // Keys: what stands in data-key is pressed or focused by that key, data-go by g and that key; the rest is here.
  const stepTo = (selector, by) => {
    const stops = all(selector).filter(stop => stop.offsetParent);
    if (!stops.length) return false;
    const top = stop => stop.getBoundingClientRect().top;
    const current = stops.indexOf(document.activeElement);
    let at = current + by;
    if (current < 0) {
      const below = stops.findIndex(stop => top(stop) > 8);
      at = by > 0 ? (below < 0 ? stops.length - 1 : below) : (below < 0 ? stops.length : below) - 1;
    }
    const next = stops[Math.max(0, Math.min(stops.length - 1, at))];
    if (!next.matches('a, button, input, summary')) next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
    return true;
  };
  const row = () => document.activeElement?.closest?.('tr');
  const tick = (boxes, to) => { boxes.forEach(box => { if (box.checked !== to) box.click(); }); return boxes.length > 0; };
  const actions = {
    j: () => stepTo('.patches .c-name a, .reply .tools a:first-child', 1),
    k: () => stepTo('.patches .c-name a, .reply .tools a:first-child', -1),
    n: () => stepTo('.diff .h a, .pair > summary', 1),
    p: () => stepTo('.diff .h a, .pair > summary', -1),
    N: () => stepTo('.file > summary', 1),
    P: () => stepTo('.file > summary', -1),
    o: () => { const link = row()?.querySelector('.c-name a'); link?.click(); return link; },
    x: () => { const box = row()?.querySelector('.c-box input'); box?.click(); return box; },
    v: () => {
      const found = all(rowBoxes, row()?.closest('tbody.group') ?? row() ?? document.createElement('p'));
      return tick(found, found.some(box => !box.checked));
    },
    a: () => { const every = document.querySelector('.every'); every?.click(); return every; },
    c: () => stepTo('.reply:has(.label.todo) .tools a:first-child', 1),
    r: () => { const button = document.activeElement?.closest?.('.reply')?.querySelector('.toggle button'); button?.click(); return button; },
    z: () => { const undo = document.querySelector('#notices button'); undo?.click(); return undo; },
    '?': () => help(),
  };
  const words = [['j k', 'next, previous'], ['o', 'open'], ['u', 'back to the list'], ['/', 'search'],
    ['g q, g s, g b, g t, g p', 'queue, about, bundles, what waits, profile'], ['x, v, a', 'select patch, series, all'],
    ['s d e b', 'state, delegate, archive, bundle'], ['m', 'take it'], ['z', 'undo'], ['[ ]', 'previous, next patch'],
    ['{ }', 'older, newer revision'], ['n p', 'next, previous hunk'], ['N P', 'next, previous file'],
    ['1 2 3', 'message, diff, replies'], ['c', 'next open reply'], ['r', 'mark it addressed'], ['y', 'copy the message id'],
    ['w', 'wrap lines'], ['?', 'these keys']];
  const off = () => document.cookie.includes('keys=off');
  const help = () => {
    let box = document.getElementById('keys');
    if (!box) {
      box = document.body.appendChild(document.createElement('dialog'));
      box.id = 'keys';
      box.setAttribute('aria-label', 'Keys');
      const list = box.appendChild(document.createElement('dl'));
      words.forEach(([key, what]) => {
        list.appendChild(document.createElement('dt')).textContent = key;
        list.appendChild(document.createElement('dd')).textContent = what;
      });
      const turn = box.appendChild(document.createElement('button'));
      const close = box.appendChild(document.createElement('button'));
      close.textContent = 'Close';
      close.onclick = () => box.close();
      const named = () => { turn.textContent = off() ? 'Turn single keys on' : 'Turn single keys off'; };
      turn.onclick = () => {
        document.cookie = `keys=off;path=${script.dataset.cookiePath};max-age=${off() ? 0 : 31536000};SameSite=Lax`;
        named();
      };
      named();
    }
    box.showModal();
    return true;
  };

  let going = 0;
  const press = target => {
    if (!target) return false;
    if (target.matches('a, button, summary, [type="checkbox"]')) target.click(); else { target.focus(); target.select?.(); }
    return true;
  };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest('input:not([type="checkbox"]), select, textarea, dialog, [contenteditable]')) return;
    if (off() && event.key !== '?') return;
    const key = CSS.escape(event.key);
    const went = Date.now() - going < 1500;
    going = !went && event.key === 'g' ? Date.now() : 0;
    const done = went ? press(document.querySelector(`[data-go="${key}"]`))
      : press(document.querySelector(`[data-key="${key}"]`)) || actions[event.key]?.();
    if (done) event.preventDefault();
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
    // After a change the reader is led to what it did, and to the way back.
    const { verb } = event.detail.requestConfig ?? {};
    if (verb === 'post') (document.querySelector('.act .problems') ?? document.getElementById('notices'))?.scrollIntoView({ block: 'nearest' });
  });
  for (const kind of ['htmx:responseError', 'htmx:sendError', 'htmx:timeout']) {
    document.addEventListener(kind, () => say('That did not work; please reload the page'));
  }
  wake(document);
})();
