"""HTML pages in tests: their text, pictures and links."""

import html.parser


class Page(html.parser.HTMLParser):
    """Text, pictures and links of a page whose tags must be balanced."""

    def __init__(self, text):
        super().__init__()
        self.open, self.cells, self.tags, self.sources, self.links = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []
        self.cells = [cell.strip() for cell in self.cells]

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        given = dict(attrs)
        assert tag != "img" or given["alt"]
        self.sources += [given[key] for key in ("src", "data") if key in given]
        self.links += [given["href"]] if "href" in given else []
        self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data
