"""The same models behind a handler of FastAPI that runs one request at a time: `python -m ... jax|numpy PORT`."""

from __future__ import annotations

import sys
from typing import Any

import numpy
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response
from tests.benchmarks.serving.programs import MODELS, forward, make_weights


def application(engine: str) -> FastAPI:
    """Return the application; functions run on the pool of threads that FastAPI has for them."""
    app = FastAPI()
    for name, widths in MODELS.items():
        weights = make_weights(widths)
        if engine == "jax":
            import jax

            jitted = jax.jit(lambda x, w: forward(jax.numpy, x, w))
            on_device = jax.device_put(weights)
            run = lambda x, jitted=jitted, w=on_device: numpy.asarray(jitted(x, w))  # noqa: E731
        else:
            run = lambda x, w=weights: forward(numpy, x, w)  # noqa: E731
        run(numpy.zeros((1, widths[0]), numpy.float32))
        app.add_api_route(f"/v2/models/{name}/infer", _handler(name, run), methods=["POST"])
    return app


def _handler(name: str, run: Any) -> Any:
    from starlette.concurrency import run_in_threadpool

    async def infer(request: Request) -> Response:
        (entry,) = orjson.loads(await request.body())["inputs"]
        x = numpy.array(entry["data"], numpy.float32).reshape(entry["shape"])
        scores = await run_in_threadpool(run, x)
        output = {"name": "scores", "datatype": "FP32", "shape": list(scores.shape), "data": scores.ravel()}
        body = orjson.dumps({"model_name": name, "outputs": [output]}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(body, media_type="application/json")

    return infer


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
