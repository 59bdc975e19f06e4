"""The emulator as `websockets` and `websocket-client` see it: as they see the real server, observed on PVE 9.2 and 8.4."""

import asyncio
import ssl
import time
from urllib.parse import quote, unquote

import pytest
import websocket as websocket_client
from websockets.asyncio.client import connect as connect_asyncio
from websockets.exceptions import ConnectionClosed, InvalidHeader, InvalidStatus
from websockets.sync.client import connect

import rfb
from child import PATIENCE
from pve import DELAY, GUEST, Emulated, token


def opened(pve, address, headers, subprotocols=("binary",)):
    """`websockets`, with nothing changed but the trust in the certificate."""
    return connect(
        address,
        additional_headers=headers,
        subprotocols=list(subprotocols) or None,
        ssl=pve.tls_in_two_threads,
        open_timeout=PATIENCE,
        # One test provokes silence, and then this library would wait ten seconds for the end.
        close_timeout=1,
    )


def cookie_only(headers):
    """What the upgrade needs of a log-in: a GET has no CSRF token."""
    return {"Cookie": headers["Cookie"]}


@pytest.mark.parametrize("guest", ["qemu/101", "lxc/200"])
def test_a_cookie_and_the_binary_sub_protocol_get_the_banner(pve, guest):
    user = pve.log_in()
    address = pve.websocket(pve.ticket(user, guest), guest)

    with opened(pve, address, cookie_only(user)) as socket:
        assert socket.subprotocol == "binary"
        assert socket.recv(PATIENCE) == rfb.BANNER


def test_no_sub_protocol_is_answered_when_none_was_offered(pve):
    user = pve.log_in()

    with opened(pve, pve.websocket(pve.ticket(user)), cookie_only(user), subprotocols=()) as socket:
        assert socket.subprotocol is None
        assert socket.recv(PATIENCE) == rfb.BANNER


def test_an_api_token_gets_the_banner_by_itself(pve):
    with opened(pve, pve.websocket(pve.ticket(token())), token()) as socket:
        assert socket.recv(PATIENCE) == rfb.BANNER


def test_a_ticket_of_a_token_is_of_no_use_to_a_user(pve):
    address = pve.websocket(pve.ticket(token()))

    with pytest.raises(InvalidStatus) as refused:
        opened(pve, address, cookie_only(pve.log_in()))

    assert refused.value.response.status_code == 401
    assert refused.value.response.reason_phrase == "permission denied - invalid PVEVNC ticket"


def test_the_asyncio_client_gets_the_banner_and_a_pong_with_tls_1_3(pve):
    async def visit(address):
        async with connect_asyncio(
            address, additional_headers=token(), subprotocols=["binary"], ssl=pve.tls, open_timeout=PATIENCE, close_timeout=1
        ) as socket:
            tls = socket.transport.get_extra_info("ssl_object").version()
            banner = await asyncio.wait_for(socket.recv(), PATIENCE)
            await asyncio.wait_for(await socket.ping(b"are you there"), PATIENCE)
            return tls, socket.subprotocol, banner

    assert asyncio.run(visit(pve.websocket(pve.ticket(token())))) == ("TLSv1.3", "binary", rfb.BANNER)


def test_a_ping_is_answered(pve):
    with opened(pve, pve.websocket(pve.ticket(token())), token()) as socket:
        socket.recv(PATIENCE)

        assert socket.ping(b"are you there").wait(PATIENCE)


def test_a_close_is_not_answered(pve):
    with opened(pve, pve.websocket(pve.ticket(token())), token()) as socket:
        socket.recv(PATIENCE)
        socket.close()

        # The library's name for an end without a close frame of the other side.
        assert socket.close_code == 1006


def test_two_sub_protocols_are_echoed_as_one_which_this_library_refuses(pve):
    address = pve.websocket(pve.ticket(token()))

    with pytest.raises(InvalidHeader, match="binary, base64"):
        opened(pve, address, token(), subprotocols=("binary", "base64"))


def test_without_a_cookie_the_answer_is_401_and_takes_its_time(pve):
    address = pve.websocket(pve.ticket(token()))
    begin = time.monotonic()

    with pytest.raises(InvalidStatus) as refused:
        opened(pve, address, {})

    assert refused.value.response.status_code == 401
    assert refused.value.response.reason_phrase == "No ticket"
    assert refused.value.response.body in (None, b"")
    assert time.monotonic() - begin >= DELAY


def test_a_401_takes_three_seconds_unless_told_otherwise():
    with Emulated(delay=None) as slow:
        begin = time.monotonic()

        answer = slow.post(f"/nodes/pve1/{GUEST}/vncproxy", websocket=1)

        assert (answer.status_code, answer.reason) == (401, "No ticket")
        assert time.monotonic() - begin >= 3.0


def once(text):
    return quote(text, safe="")


def twice(text):
    return once(once(text))


def with_plus_as_space(text):
    return once(text).replace("%2B", "%20")


@pytest.mark.parametrize("spelled", [twice, with_plus_as_space])
def test_a_ticket_that_is_not_encoded_exactly_once_is_refused(pve, spelled):
    ticket = pve.ticket(token())
    while "+" not in ticket["ticket"]:
        ticket = pve.ticket(token())

    with pytest.raises(InvalidStatus) as refused:
        opened(pve, pve.websocket(ticket, spelled=spelled), token())

    assert refused.value.response.status_code == 401
    assert refused.value.response.reason_phrase == "permission denied - invalid PVEVNC ticket"


def test_a_ticket_is_refused_at_another_port(pve):
    ticket = pve.ticket(token())
    elsewhere = {**ticket, "port": str(5900 + (int(ticket["port"]) - 5900 + 1) % 100)}

    with pytest.raises(InvalidStatus) as refused:
        opened(pve, pve.websocket(elsewhere), token())

    assert refused.value.response.reason_phrase == "permission denied - invalid PVEVNC ticket"


def test_the_password_is_the_ticket_s_first_eight_characters_since_april_2026(pve):
    ticket = pve.ticket(token())

    assert ticket["ticket"].startswith(f"{ticket['password']}:PVEVNC:")
    with opened(pve, pve.websocket(ticket), token()) as socket:
        stream = rfb.Stream(socket)
        assert rfb.security_types(stream) == [rfb.VNC_AUTHENTICATION]
        assert rfb.log_in(stream, ticket["password"]) == rfb.OK
        width, height, pixels = rfb.picture(stream)
        assert len(pixels) == 3 * width * height
        assert len(set(pixels)) > 1, "a picture of one colour"


def test_before_april_2026_the_password_is_the_ticket_itself(classic):
    ticket = classic.ticket(token())

    assert "password" not in ticket
    assert ticket["ticket"].startswith("PVEVNC:")
    with opened(classic, classic.websocket(ticket), token()) as socket:
        stream = rfb.Stream(socket)
        assert rfb.security_types(stream) == [rfb.VNC_AUTHENTICATION]
        assert rfb.log_in(stream, ticket["ticket"]) == rfb.OK


def test_a_wrong_vnc_password_is_refused(pve):
    ticket = pve.ticket(token())

    with opened(pve, pve.websocket(ticket), token()) as socket:
        stream = rfb.Stream(socket)
        rfb.security_types(stream)

        assert rfb.log_in(stream, "wrong") == rfb.FAILED


def test_a_fragmented_message_is_the_end_and_nobody_says_so(pve):
    with opened(pve, pve.websocket(pve.ticket(token())), token()) as socket:
        assert socket.recv(PATIENCE) == rfb.BANNER
        socket.send([rfb.BANNER[:6], rfb.BANNER[6:]])

        # A whole banner would be answered with the security types at once.
        try:
            heard = socket.recv(1.0)
        except TimeoutError:
            heard = None
        except ConnectionClosed as closed:
            assert closed.rcvd is None
            heard = None
        assert heard is None


def test_a_stopped_guest_gets_its_101_and_then_an_end(pve):
    ticket = pve.ticket(token(), "qemu/103")

    with opened(pve, pve.websocket(ticket, "qemu/103"), token()) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(PATIENCE)

    assert closed.value.rcvd is None


def test_websocket_client_gets_the_banner_and_the_sub_protocol(pve):
    user = pve.log_in()
    socket = websocket_client.create_connection(
        pve.websocket(pve.ticket(user)),
        cookie=user["Cookie"],
        subprotocols=["binary"],
        sslopt={"ca_certs": pve.ca_file, "cert_reqs": ssl.CERT_REQUIRED},
        timeout=PATIENCE,
    )
    try:
        assert socket.getsubprotocol() == "binary"
        assert socket.recv() == rfb.BANNER
    finally:
        socket.shutdown()


def test_websocket_client_is_told_401_without_a_cookie(pve):
    with pytest.raises(websocket_client.WebSocketBadStatusException) as refused:
        websocket_client.create_connection(
            pve.websocket(pve.ticket(token())), sslopt={"ca_certs": pve.ca_file}, timeout=PATIENCE
        )

    assert refused.value.status_code == 401


def test_the_address_that_a_test_builds_decodes_to_the_ticket(pve):
    """The tests above mean what they say only if this is so."""
    ticket = pve.ticket(token())

    assert unquote(pve.websocket(ticket).rpartition("vncticket=")[2]) == ticket["ticket"]
