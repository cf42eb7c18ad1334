// The HTML of a mail: one column, no picture, no script and nothing that is loaded from elsewhere. Mail programs differ in
// what they keep, so the light look is in the elements, and the dark look in a style sheet for those that read one.

/** The parts of a mail as plain text, in their order. */
export interface MailContent {
  subject: string
  service: string
  title: string
  happened: string
  facts: [label: string, value: string][]
  /** The sentence for a reader who meant the change. */
  fine: string
  heading: string
  steps: string[]
  link?: { label: string; url: string } | undefined
  footer: string
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as HTML; a line break stays one. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!).replaceAll('\n', '<br>')

const FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const WRAP = 'overflow-wrap:anywhere;word-break:break-word'

const STYLE = [
  ':root{color-scheme:light dark;supported-color-schemes:light dark}',
  '@media (max-width:480px){.pad{padding:24px 20px!important}h1{font-size:20px!important}.fact th,.fact td{display:block!important;width:auto!important}',
  '.fact th{border-bottom:0!important;padding:10px 0 0!important}.fact td{padding:0 0 10px!important}}',
  '@media (prefers-color-scheme:dark){.page{background:#12151a!important;color:#e9ecf1!important}',
  '.card{background:#1c2128!important;border-color:#343c48!important}.minor{color:#a9b2bf!important}',
  '.fact,.fact th,.fact td{border-color:#343c48!important}.steps{background:#2a2313!important;border-color:#d9a521!important}',
  '.link{background:#8ab4ff!important;color:#0d1320!important}}',
].join('')

/** @internal */
export function htmlOf(mail: MailContent, locale: string): string {
  const { subject, service, title, happened, facts, fine, heading, steps, link, footer } = mail
  const paragraph = (text: string) => `<p style="margin:0 0 20px">${escaped(text)}</p>`
  const line = 'border-bottom:1px solid #e4e7ec;font-size:15px;text-align:left;vertical-align:top'
  const fact = ([label, value]: [string, string]) =>
    `<tr><th scope="row" class="minor" style="width:34%;padding:10px 16px 10px 0;${line};font-weight:400;color:#5a6472">${escaped(label)}</th>` +
    `<td style="padding:10px 0;${line};font-weight:600;${WRAP}"><bdi>${escaped(value)}</bdi></td></tr>`
  const step = (text: string) => `<li style="margin:0 0 8px;padding-left:4px">${escaped(text)}</li>`
  const lines = [
    '<!doctype html>',
    `<html lang="${escaped(locale)}">`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="supported-color-schemes" content="light dark">',
    `<title>${escaped(subject)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body class="page" style="margin:0;padding:0;background:#f3f5f8;color:#1b2330">',
    `<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f5f8;color:#1b2330;${FONT};font-size:16px;line-height:1.5">`,
    '<tr><td align="center" style="padding:24px 12px">',
    '<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border:1px solid #e4e7ec;border-radius:12px;text-align:left">',
    `<tr><td class="pad" style="padding:32px 36px;${WRAP}">`,
    `<p class="minor" style="margin:0 0 8px;font-size:14px;font-weight:600;color:#5a6472"><bdi>${escaped(service)}</bdi></p>`,
    `<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:700">${escaped(title)}</h1>`,
    paragraph(happened),
    `<table width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 24px;border-top:1px solid #e4e7ec;border-collapse:collapse" class="fact">`,
    ...facts.map(fact),
    '</table>',
    paragraph(fine),
    '<div class="steps" style="margin:0 0 24px;padding:16px 20px 10px;background:#fff8e8;border-left:4px solid #e0a100;border-radius:0 8px 8px 0">',
    `<h2 style="margin:0 0 8px;font-size:16px;line-height:1.4;font-weight:700">${escaped(heading)}</h2>`,
    `<ol style="margin:0;padding:0 0 0 20px">${steps.map(step).join('')}</ol>`,
    '</div>',
    ...(link === undefined ? [] : linkLines(link)),
    `<p class="minor" style="margin:0;font-size:13px;color:#5a6472">${escaped(footer)}</p>`,
    '</td></tr></table>',
    '</td></tr></table>',
    '</body>',
    '</html>',
    '',
  ]
  return lines.join('\n')
}

/** The link as a button, and its address below, so that a reader sees where it leads. */
function linkLines({ label, url }: { label: string; url: string }): string[] {
  const href = escaped(url)
  const button =
    'display:inline-block;padding:11px 20px;background:#1d4ed8;color:#ffffff;border-radius:8px;font-weight:600;text-decoration:none'
  return [
    `<p style="margin:0 0 8px"><a class="link" href="${href}" style="${button}">${escaped(label)}</a></p>`,
    `<p class="minor" style="margin:0 0 24px;font-size:13px;color:#5a6472;${WRAP}">${href}</p>`,
  ]
}
