"""What a link in a mail leads to: the macro ``url_kind`` of the mapping language.

One list of places for every source. A mapping knows a link and nothing of the sender's
own sites, so a home page is the only website it can tell. Whoever changes what this
says of a link raises ``PACKAGE_VERSION`` of the landing, so that files are read again.
"""

from __future__ import annotations

_SOCIAL = (
    *("facebook.com", "fb.me", "fb.com", "m.me", "instagram.com", "threads.net"),
    *("threads.com", "twitter.com", "x.com", "linkedin.com"),
    *("youtube.com", "youtu.be", "tiktok.com", "pinterest.com", "reddit.com"),
    *("whatsapp.com", "wa.me", "t.me", "telegram.me", "discord.gg", "discord.com"),
    *("bsky.app", "mastodon.social", "snapchat.com", "twitch.tv", "xing.com", "vk.com"),
    *("ok.ru", "line.me", "viber.com", "weibo.com", "kakao.com", "zalo.me"),
)
"""Networks and messengers where people can follow a sender without mail: a choice."""
_STORES = (
    *("//apps.apple.com/", "//itunes.apple.com/", "//podcasts.apple.com/"),
    *("//play.google.com/store/apps", "//apps.microsoft.com/", "//open.spotify.com/"),
    "//appgallery.huawei.com/",
)
_SHARING = (
    r"/(sharer?|share-?article|share-offsite|sharing|intent|pin/create|submit)([./?]|$)"
    r"|//wa.me/[?]text=|whatsapp.com/send/?[?]text="
)
"""To pass a mail on to one's own friends is not to follow its sender."""
_SITE = r"^[a-z]+://(?:[^/?#]*\.)?([^./?#:]+\.[a-z]+)(?:[/?#:]|$)"
_HOME_PAGE = r"^https?://[^/?#]+/?([?#].*)?$"


def url_kind_sql(link: str) -> str:
    """The kind of a link as an SQL expression over lower-case text; NULL of none."""
    sites = ", ".join(f"'{site}'" for site in _SOCIAL)
    stores = " or ".join(f"contains({link}, '{store}')" for store in _STORES)
    return (
        f"case when {link} is null then null"
        f" when contains({link}, 'unsubscribe') then 'unsubscribe'"
        f" when regexp_matches({link}, 'preference|subscription[-_]?cent(er|re)')"
        " then 'preference'"
        f" when (regexp_extract({link}, '{_SITE}', 1) in ({sites}) or {stores})"
        f" then if(regexp_matches({link}, '{_SHARING}'), 'other', 'channel')"
        f" when regexp_matches({link}, '{_HOME_PAGE}') then 'website'"
        " else 'other' end"
    )
