"""`/ledger/…`: the public log: checkpoint, tiles, entry bundles, receipts (C2SP tlog-tiles)."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from locum.http.face import Incoming, face_of
from locum.ledger.receipt import make_receipt
from locum.ledger.tiles import TileName, hash_reader
from locum.model.refusal import MalformedInput, NotFound
from locum.service.published import StoreSource, published_size
from locum.store.port import Transaction

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "no-cache"}


@get("/ledger/checkpoint", summary="The newest signed checkpoint", sync_to_thread=True)
def checkpoint(request: Incoming) -> Response[bytes]:
    """The signed note."""
    note = StoreSource(face_of(request).locum.store).checkpoint()
    return Response(note, media_type="text/plain; charset=utf-8", headers=_FRESH)


@get("/ledger/vkey", summary="The key that signs checkpoints")
async def vkey(request: Incoming) -> Response[bytes]:
    """The verifier key; compare it with one that you got another way."""
    text = f"{face_of(request).verifier_key}\n".encode()
    return Response(text, media_type="text/plain; charset=utf-8", headers=_FRESH)


@get("/ledger/tile/{name:path}", summary="A hash tile or an entry bundle", sync_to_thread=True)
def tile(request: Incoming, name: FromPath[str]) -> Response[bytes]:
    """A tile of any checkpoint that was signed."""
    place = TileName.parse("tile" + name)
    data = StoreSource(face_of(request).locum.store).tile(place)
    if data is None:
        raise NotFound(f"There is no {place}.", "See /ledger/checkpoint for the size.")
    return Response(data, media_type="application/octet-stream", headers=_FOREVER)


@get("/ledger/receipt/{index:int}", summary="A receipt (tlog-proof)", sync_to_thread=True)
def receipt(request: Incoming, index: FromPath[int]) -> Response[bytes]:
    """The proof that entry `index` is in the ledger, checkable offline."""
    store = face_of(request).locum.store

    def whole(transaction: Transaction) -> bytes:
        note = transaction.checkpoint()
        size = published_size(note)
        if note is None or not 0 <= index < size:
            raise MalformedInput(f"There is no entry {index}.", f"Ask for one below {size}.")
        return make_receipt(index, size, hash_reader(transaction.tile), note).encode()

    return Response(store.look(whole), media_type="text/plain; charset=utf-8", headers=_FRESH)


routes = [checkpoint, vkey, tile, receipt]
