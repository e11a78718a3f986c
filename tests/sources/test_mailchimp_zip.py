"""The zip of an audience, whose members' names alone say who is subscribed."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable

import pytest

from dagster_project.settings import SOURCES
from tests.conftest import Deployment

FOLDER = SOURCES / "mailchimp"
MEMBERS = {
    "subscribed_email_audience_export_0a1b2c.csv": "subscribed_export_list=Newsletter",
    "unsubscribed_email_audience_export_0a1b2c.csv": (
        "unsubscribed_email_audience_export_0a1b2c"
    ),
    "cleaned_email_audience_export_0a1b2c.csv": "cleaned_export_list=Newsletter",
}
ZIP = "mailchimp/acme/audience_export_0a1b2c.zip"
ACCOUNT = "accounts: {mailchimp: {acme: {timezone: UTC, settings: {audience: Shop}}}}"


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as container:
        for name, sample in MEMBERS.items():
            container.write(FOLDER / f"sample_{sample}.csv", name)
    return buffer.getvalue()


def by_sidecar(deployment: Deployment) -> None:
    deployment.drop(f"{ZIP}.meta.yaml", "list: Shop\n")


def by_setting(deployment: Deployment) -> None:
    deployment.configure(ACCOUNT)


@pytest.mark.parametrize("name_it", [by_sidecar, by_setting])
def test_every_member_tells_its_status_and_the_owner_the_list(
    name_it: Callable[[Deployment], object], deployment: Deployment
) -> None:
    name_it(deployment)
    deployment.drop(ZIP, zipped())
    deployment.land()
    rows = deployment.rows("contact_snapshots")
    # 4 of the 5 subscribed, 8 unsubscribed, 2 cleaned: as in the samples.
    assert Counter(row["status"] for row in rows) == {
        "subscribed": 4,
        "unsubscribed": 8,
        "bounced": 2,
    }
    assert {row["list"] for row in rows} == {"Shop"}
    assert {row["snapshot_scope"] for row in rows} == {"full"}


def test_an_audience_that_nobody_names_is_refused(deployment: Deployment) -> None:
    deployment.drop(ZIP, zipped())
    deployment.land()
    loads = deployment.loads().values()
    assert {load.refusal_reason for load in loads} == {"too_many_rejected"}
    assert all("audience_name" in (load.refusal_detail or "") for load in loads)
