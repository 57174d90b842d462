"""The environment variables that Lambda sets, and the names it gives to where a function logs.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from random import Random


def lambda_variables(
    *,
    handler: str,
    task_root: Path,
    function_name: str,
    memory_size: int,
    region: str,
    initialization_type: str = "on-demand",
) -> dict[str, str]:
    """Those that a function finds wherever it runs; a runtime in a process of its own has more."""
    return {
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(task_root),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_size),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function_name}",
        # No real credentials: code under test must not reach an account by accident.
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "_HANDLER": handler,
    }


def log_stream_name(today: datetime, random: Random) -> str:
    """The log stream of an environment that starts on that day."""
    return f"{today:%Y/%m/%d}/[$LATEST]{random.getrandbits(128):032x}"
