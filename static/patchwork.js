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

  // What this browser keeps: lists of words, as long as it lets us.
  const kept = (box, key) => { try { return window[box].getItem(key)?.split(' ') ?? []; } catch { return []; } };
  const keep = (box, key, words) => {
    try { words.length ? window[box].setItem(key, words.join(' ')) : window[box].removeItem(key); } catch { /* no worse than without */ }
  };

  const wake = root => {
    all('.copy[hidden], .keys[hidden], .every[hidden], .series-box[hidden], .by-drag[hidden], .clear[hidden]', root).forEach(button => { button.hidden = false; });
    all('.by-drag', root).length && all('tr:has(.c-place)', root).forEach(row => { if (row.dataset.patchId) row.draggable = true; });
    restore();
    count();
  };

  // Selecting rows: how many, all shown, from the last one to this one.
  const rowBoxes = 'td.c-box input:not(.series-box)';
  const boxes = () => all(rowBoxes);
  const count = () => {
    const others = carry();
    const ticked = boxes().filter(box => box.checked).length;
    const matches = document.querySelector('.act [name="all"]:checked');
    all('.picked output').forEach(output => {
      output.hidden = false;
      output.textContent = matches ? 'All selected'
        : `${ticked + others} selected${others ? `, ${others} on other pages` : ''}`;
    });
    all('.every, .series-box').forEach(every => {
      const own = all(rowBoxes, every.closest(every.matches('.every') ? 'table' : 'tbody'));
      every.checked = own.length > 0 && own.every(box => box.checked);
      every.indeterminate = !every.checked && own.some(box => box.checked);
    });
    skirt();
  };

  // The selection outlives a page of its list: what is on other pages goes along in hidden fields.
  const list = () => document.querySelector('#results form.bulk');
  const shelf = form => {
    // A button of the form is called action, too, and hides the property.
    const url = new URL(form.getAttribute('action'), location.href);
    ['page', 'order', 'view'].forEach(name => url.searchParams.delete(name));
    return `picked ${url.pathname}${url.search}`;
  };
  const carry = () => {
    const form = list();
    if (!form) return 0;
    const own = all(rowBoxes, form);
    const here = new Set(own.map(box => box.name));
    const others = kept('sessionStorage', shelf(form)).filter(name => !here.has(name));
    keep('sessionStorage', shelf(form), [...others, ...own.filter(box => box.checked).map(box => box.name)]);
    form.querySelector('.elsewhere')?.remove();
    const fields = form.appendChild(document.createElement('div'));
    fields.className = 'elsewhere';
    fields.hidden = true;
    others.forEach(name => {
      const field = fields.appendChild(document.createElement('input'));
      Object.assign(field, { type: 'hidden', name, value: 'on' });
    });
    return others.length;
  };
  // What was sent is picked no more, unless it came back with a fault or a question.
  const restore = () => {
    const [sent] = kept('sessionStorage', 'sent').map(decodeURIComponent);
    if (sent && !document.querySelector('.act .problems, [name="confirmed"]')) keep('sessionStorage', sent, []);
    keep('sessionStorage', 'sent', []);
    const form = list();
    const picked = form ? kept('sessionStorage', shelf(form)) : [];
    if (picked.length) all(rowBoxes, form).forEach(box => { if (picked.includes(box.name)) box.checked = true; });
  };
  let changed = '';
  document.addEventListener('submit', event => {
    const form = event.target;
    if (!form.matches('form.bulk')) return;
    changed = form.querySelector('tr:has(td.c-box :checked):not(.whole)')?.id ?? '';
    if (form === list()) keep('sessionStorage', 'sent', [encodeURIComponent(shelf(form))]);
  }, true);

  // A row half under the bar can neither be read nor be hit, so it is covered as a whole.
  const skirt = () => {
    document.documentElement.style.scrollPaddingBottom = '';
    all('form.bulk .act').forEach(bar => {
      const { top, height } = bar.getBoundingClientRect();
      if (!height || getComputedStyle(bar).position === 'static') return;
      document.documentElement.style.scrollPaddingBottom = `${height + 48}px`;
      const cover = bar.querySelector('.skirt') ?? bar.appendChild(document.createElement('div'));
      cover.className = 'skirt';
      const edges = all('tr', bar.closest('form')).map(row => row.getBoundingClientRect());
      const under = edges.find(row => row.top < top && row.bottom > top);
      cover.style.height = `${under ? top - under.top : 0}px`;
    });
  };
  let waiting = false;
  for (const kind of ['scroll', 'resize']) {
    addEventListener(kind, () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; skirt(); });
    }, { passive: true });
  }

  document.addEventListener('toggle', event => { if (event.target.closest?.('.act')) skirt(); }, true);

  let last = null;
  const range = box => {
    const found = boxes();
    const [from, to] = [found.indexOf(last), found.indexOf(box)].sort((a, b) => a - b);
    if (from >= 0) found.slice(from, to + 1).forEach(other => { other.checked = box.checked; });
  };
  document.addEventListener('click', event => {
    if (event.target.closest?.('.clear')) {
      if (list()) keep('sessionStorage', shelf(list()), []);
      all('form.bulk [type="checkbox"]:checked:not(.fold)').forEach(box => { box.checked = false; });
      return count();
    }
    const box = event.target.closest?.('.c-box input');
    if (!box) return;
    if (box.matches('.every, .series-box')) {
      all(rowBoxes, box.closest(box.matches('.every') ? 'table' : 'tbody')).forEach(other => { other.checked = box.checked; });
    } else {
      if (event.shiftKey) range(box);
      last = box;
    }
    count();
  });
  document.addEventListener('change', event => { if (event.target.closest?.('.c-box, .picked')) count(); });

  // Files that were read stay folded in this browser.
  const files = all('details.file');
  if (files.length > 1) {
    const key = `viewed ${location.pathname}`;
    const seen = new Set(kept('localStorage', key));
    files.forEach(file => {
      // It lies over the summary, not in it: a button cannot hold another one.
      const around = document.createElement('div');
      around.className = 'boxed';
      file.before(around);
      const label = document.createElement('label');
      label.className = 'viewed';
      around.append(label, file);
      const box = label.appendChild(document.createElement('input'));
      box.type = 'checkbox';
      box.setAttribute('aria-label', `Viewed: ${file.querySelector('.path').textContent}`);
      label.append(' Viewed');
      const show = () => document.querySelector(`.files a[href="#${file.id}"]`)?.classList.toggle('seen', box.checked);
      box.checked = seen.has(file.id);
      if (box.checked) file.open = false;
      show();
      box.addEventListener('change', () => {
        seen[box.checked ? 'add' : 'delete'](file.id);
        keep('localStorage', key, [...seen]);
        file.open = !box.checked;
        show();
      });
    });
  }

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
      const left = Math.max(...[line, line.parentElement].map(box => box.getBoundingClientRect().left));
      if (event.clientX - left < gutter) location.hash = line.id;
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
      document.cookie = `theme=${theme};path=${script.dataset.cookiePath};max-age=31536000;SameSite=Lax`;
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
  const sameSeries = () => {
    const series = link => link?.querySelector('.c-series a')?.getAttribute('href');
    const group = row()?.closest('tbody.group');
    if (group) return all(rowBoxes, group);
    return boxes().filter(box => box.closest('tr') === row() || (series(row()) && series(box.closest('tr')) === series(row())));
  };
  const replies = '.reply .tools a:first-of-type';
  const actions = {
    j: () => stepTo(`.patches .c-name a, ${replies}`, 1),
    k: () => stepTo(`.patches .c-name a, ${replies}`, -1),
    n: () => stepTo('.diff .h a, .pair > summary', 1),
    p: () => stepTo('.diff .h a, .pair > summary', -1),
    N: () => stepTo('.file > summary', 1),
    P: () => stepTo('.file > summary', -1),
    o: () => { const link = row()?.querySelector('.c-name a'); link?.click(); return link; },
    x: () => { const box = row()?.querySelector('.c-box input'); box?.click(); return box; },
    X: () => {
      const box = row()?.querySelector(rowBoxes);
      if (!box) return false;
      box.checked = true;
      range(box);
      last = box;
      count();
      return true;
    },
    v: () => { const found = sameSeries(); return tick(found, found.some(box => !box.checked)); },
    a: () => {
      const [every, matches] = [document.querySelector('.every'), document.querySelector('.act [name="all"]')];
      if (every?.checked && matches && !matches.checked) matches.click();
      else { if (matches) matches.checked = false; every?.click(); }
      return every;
    },
    m: () => {
      const mine = document.querySelector('.act [data-me]');
      if (mine) { mine.selected = true; mine.parentElement.focus(); }
      return mine;
    },
    c: () => stepTo('.reply:has(.label.todo) .tools a:first-of-type', 1),
    r: () => { const button = document.activeElement?.closest?.('.reply')?.querySelector('.tools form button'); button?.click(); return button; },
    z: () => { const undo = document.querySelector('#notices button'); undo?.click(); return undo; },
    '?': () => help(),
  };
  // Each key, what it does, and what must be on the page for it to do so.
  const words = [['j k', 'next, previous', `.patches .c-name a, ${replies}`], ['o, Enter', 'open', '.patches .c-name a'],
    ['u', 'back to the list', '[data-key="u"]'], ['/', 'search', '[data-key="/"]'],
    ['g q, g s', 'queue, about the project', '[data-go="q"]'], ['g t, g b, g p', 'what waits, bundles, profile', '[data-go="t"]'],
    ['x', 'select', rowBoxes], ['X', 'select as far as here', rowBoxes], ['v', 'select the series', rowBoxes],
    ['a', 'select all shown; again: all found', '.every'], ['s', 'state; then a letter or a number', '[data-key="s"]'],
    ['d', 'delegate', '[data-key="d"]'], ['m', 'delegate to me', '.act [data-me], [data-key="m"]'],
    ['e', 'archive', '[data-key="e"]'], ['b', 'bundle', '[data-key="b"]'], ['z', 'undo', '#notices button'],
    ['[ ]', 'previous, next patch', '[data-key="["], [data-key="]"]'],
    ['{ }', 'older, newer revision', '[data-key="{"], [data-key="}"]'],
    ['n p', 'next, previous hunk', '.diff .h a, .pair'], ['N P', 'next, previous file', '.file'],
    ['i', 'side by side, or not', '[data-key="i"]'], ['w', 'wrap lines', '[data-key="w"]'],
    ['1 2 3', 'message, diff or patches, replies', '[data-key="3"]'], ['c', 'next open reply', '.reply .label.todo'],
    ['r', 'mark that reply', '.tools form'], ['y', 'copy the message id', '[data-key="y"]'], ['?', 'these keys', 'body']];
  const off = () => document.cookie.includes('keys=off');
  const help = () => {
    let box = document.getElementById('keys');
    if (!box) {
      box = document.body.appendChild(document.createElement('dialog'));
      box.id = 'keys';
      box.setAttribute('aria-label', 'Keys');
      box.appendChild(document.createElement('dl'));
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
    const list = box.querySelector('dl');
    list.textContent = '';
    words.filter(([, , where]) => document.querySelector(where)).forEach(([key, what]) => {
      list.appendChild(document.createElement('dt')).textContent = key;
      list.appendChild(document.createElement('dd')).textContent = what;
    });
    box.showModal();
    return true;
  };

  let going = 0;
  const press = target => {
    if (!target) return false;
    if (target.matches('a, button, summary, [type="checkbox"]')) target.click();
    else if (target.offsetParent) { target.focus(); target.select?.(); } else return false;
    if (target.matches('details[open] > summary')) target.parentElement.querySelector('select, input:not([type="hidden"])')?.focus();
    return true;
  };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const states = event.target.closest('select[name="state"]');
    if (states && /^[1-9]$/.test(event.key)) {
      const state = [...states.options].filter(({ value }) => value !== '*')[event.key - 1];
      if (state) states.value = state.value;
      event.preventDefault();
      return;
    }
    if (event.target.closest('input:not([type="checkbox"]), select, textarea, dialog, [contenteditable]')) return;
    if (off() && event.key !== '?') return;
    // What changes a selection changes the row in hand where nothing is selected.
    if ('sdmeb'.includes(event.key) && !document.querySelector('.act')?.offsetParent) row()?.querySelector(rowBoxes)?.click();
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
    // After a change the reader is led to what it did, and to the way back; the keyboard stays where it was.
    const { verb } = event.detail.requestConfig ?? {};
    if (verb !== 'post') return;
    (document.querySelector('.act .problems') ?? document.getElementById('notices'))?.scrollIntoView({ block: 'nearest' });
    const { id } = event.detail.target ?? {};
    const next = id === 'list' ? document.getElementById(changed)?.querySelector('.c-name a') ?? document.querySelector('.patches .c-name a')
      : id?.startsWith('by-') && document.querySelector(`#${id} .tools button`);
    if (next && (document.activeElement === document.body || !document.activeElement)) next.focus({ preventScroll: true });
  });
  // Who is not logged in any more logs in, and does not find the form of the login in place of a part of the page.
  document.addEventListener('htmx:beforeSwap', event => {
    const { responseURL } = event.detail.xhr;
    if (!responseURL.includes('/user/login/')) return;
    event.detail.shouldSwap = false;
    location.assign(responseURL);
  });
  // What failed says why, and leaves the page as it is.
  const failed = text => {
    keep('sessionStorage', 'sent', []);
    const notices = document.getElementById('notices');
    const notice = document.createElement('div');
    notice.className = 'notice failed';
    notice.appendChild(document.createElement('p')).textContent = text;
    notices.replaceChildren(notice);
    notices.scrollIntoView({ block: 'nearest' });
  };
  document.addEventListener('htmx:responseError', event => {
    const page = new DOMParser().parseFromString(event.detail.xhr.responseText, 'text/html');
    const said = ['main h1', 'main h1 ~ p:not(.code)'].map(part => page.querySelector(part)?.textContent);
    failed(said.filter(Boolean).join(': ') || 'That did not work; please reload the page.');
  });
  for (const kind of ['htmx:sendError', 'htmx:timeout']) {
    document.addEventListener(kind, () => failed('The server could not be reached. Nothing was changed; try once more.'));
  }
  // News, asked for once a minute while somebody looks. Nothing moves.
  const news = document.body.appendChild(document.createElement('div'));
  Object.assign(news, { className: 'live', role: 'status' });
  let [drawn, since] = [0, 0];
  const look = async () => {
    const asked = document.querySelector('[data-news]')?.dataset.news;
    if (!asked || document.hidden) return;
    const url = new URL(asked, location.href);
    url.searchParams.set(...since ? ['told', since] : ['age', Math.ceil((performance.now() - drawn) / 1000)]);
    const answer = await fetch(url).catch(() => null);
    if (!answer?.ok) return;
    const told = await answer.json();
    since = told.since;
    const text = told.text && `${told.text} – load`;
    if (news.textContent === text) return;
    news.textContent = '';
    if (text) Object.assign(news.appendChild(document.createElement('a')), { href: location.href.split('#')[0], textContent: text });
  };
  setInterval(look, 60_000);
  document.addEventListener('visibilitychange', look);
  document.addEventListener('htmx:afterSwap', () => {
    if (!document.getElementById('results')) return;
    news.textContent = '';
    [drawn, since] = [performance.now() - 1000, 0];
  });
  wake(document);
})();
