"""Prints frames as the documented generic exports, CSV or NDJSON in UTF-8.

The frames' columns are the contract's own names, so only spelling is decided here:
moments end in Z, and what is unknown is empty in a CSV and absent from a JSON record.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Print contacts, events or validations.

    Args:
        frame: documented columns; moments as naive UTC datetime64.
    """
    return _spelled(frame).to_csv(index=False, lineterminator="\n").encode()


def ndjson_bytes(frame: pd.DataFrame) -> bytes:
    """Print campaign stats, one object a line.

    Args:
        frame: documented columns; moments as naive UTC datetime64.
    """
    lines = []
    for record in _spelled(frame).to_dict("records"):
        known = {name: value for name, value in record.items() if not pd.isna(value)}
        lines.append(json.dumps(known, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def _spelled(frame: pd.DataFrame) -> pd.DataFrame:
    spelled = {}
    for name, column in frame.items():
        if pd.api.types.is_datetime64_dtype(column):
            moments = column.to_numpy(dtype="datetime64[ms]")
            texts = np.datetime_as_string(moments, unit="ms").astype(object) + "Z"
            texts[np.isnat(moments)] = None
            spelled[name] = texts
        else:
            spelled[name] = column.to_numpy()
    return pd.DataFrame(spelled)
