/** Agents by which mail clients, proxies and scanners are known: rules' names, each with what tells it. */

type Table = readonly (readonly [name: string, pattern: RegExp])[]

/** Apple's Mail Privacy Protection loads images for the reader, at any time, under no more than this. */
export const PRIVACY_PROXY = 'Mozilla/5.0'

/** Providers that load an image when a person opens the mail, and hide who it is; repeats are mostly from their cache. */
export const IMAGE_PROXIES: Table = [
  ['gmail', /GoogleImageProxy|via ggpht\.com/i],
  ['yahoo', /YahooMailProxy|YahooCacheSystem/i],
  ['outlook-proxy', /OutlookImageProxy|Outlook-?Image-?Proxy/i],
  ['seznam', /SeznamEmailProxy/i],
  ['yandex', /YandexImageResizer|YandexMail/i],
  ['mail-ru', /Mail\.RU_Bot\/Img|MRU-?ImageProxy/i],
  ['proton', /ProtonMail|Proton-?Image-?Proxy/i],
  ['fastmail', /Fastmail(?:Image)?Proxy/i],
  ['duckduckgo', /DuckDuckGo.*Email/i],
  ['other-proxy', /(?:Mail|Email|Image)-?Proxy/i],
]

/** What Google loads when a mail arrives, in the clothes of a browser of 2015. */
export const PREFETCHERS: Table = [
  ['gmail-prefetch', /Chrome\/42\.0\.2311\.135 Safari\/537\.36 Edge\/12\.246 Mozilla\/5\.0$/],
]

/** Gateways that look into mails before people do, as far as they say who they are. */
export const SCANNERS: Table = [
  ['barracuda', /Barracuda/i],
  ['proofpoint', /Proofpoint|urldefense/i],
  ['mimecast', /Mimecast/i],
  ['microsoft', /SafeLinks|Safe Links|Microsoft-?Defender|EOP-?Scan/i],
  ['cisco', /IronPort|Cisco[ -]?(?:Secure|Email)|OpenDNS/i],
  ['symantec', /Symantec|MessageLabs|BrightMail/i],
  ['sophos', /Sophos/i],
  ['trend-micro', /Trend ?Micro|TMASE/i],
  ['forcepoint', /Forcepoint|Websense/i],
  ['trellix', /FireEye|Trellix|McAfee/i],
  ['fortinet', /Forti(?:net|mail|guard)/i],
  ['zscaler', /Zscaler/i],
  ['vade', /Vade ?(?:Secure|Retro)|Hornetsecurity/i],
  ['bitdefender', /Bitdefender/i],
  ['avanan', /Avanan|Check ?Point/i],
  ['cloudmark', /Cloudmark/i],
  ['trustwave', /Trustwave|MailMarshal/i],
  ['urlscan', /urlscan|VirusTotal/i],
]

/** Applications that look at a link which somebody has pasted or is about to open. */
export const PREVIEWS: Table = [
  ['slack', /Slackbot|Slack-ImgProxy/i],
  ['teams', /SkypeUriPreview|MicrosoftPreview/i],
  ['whatsapp', /WhatsApp\//i],
  ['telegram', /TelegramBot/i],
  ['facebook', /facebookexternalhit|facebookcatalog/i],
  ['x', /Twitterbot/i],
  ['linkedin', /LinkedInBot/i],
  ['discord', /Discordbot/i],
  ['bing', /BingPreview/i],
  ['google-web-preview', /Google Web Preview/i],
]

/** Office asks for a link by itself before it gives it to the browser, which then asks again. */
export const OFFICE_PROBE = /ms-office|MSOffice|Microsoft Office|Existence Discovery|Protocol Discovery/i

/** Programs in which people read mails. The bot library takes some of them for bots. */
export const CLIENTS: Table = [
  [
    'outlook',
    /Microsoft Outlook|ms-office|MSOffice|Outlook-(?:iOS|Android)|MacOutlook|OneOutlook|Outlook\/|Microsoft Office/i,
  ],
  ['thunderbird', /Thunderbird|Betterbird/i],
  ['airmail', /Airmail/i],
  ['spark', /\bSpark(?:Desktop)?\/|SparkMail/i],
  ['k9', /K-9 ?Mail/i],
  ['samsung-mail', /SamsungEmail|Samsung Email/i],
  ['windows-mail', /WindowsMail|Windows Mail|LiveMail/i],
  ['lotus-notes', /Lotus-?Notes|HCL ?Notes/i],
  ['postbox', /Postbox/i],
  ['evolution', /Evolution\/|KMail|Claws Mail|Geary/i],
  ['em-client', /eM ?Client/i],
  ['mailspring', /Mailspring/i],
  ['vivaldi-mail', /Vivaldi.*Mail/i],
  // WebKit without a browser's name: Apple Mail, and views of the web in applications for mail.
  [
    'apple-mail',
    /^Mozilla\/5\.0 \((?:Macintosh|iPhone|iPad|iPod)[^)]*\) AppleWebKit\/[\d.]+ \(KHTML, like Gecko\)(?: Mobile\/\w+)?$/,
  ],
]
