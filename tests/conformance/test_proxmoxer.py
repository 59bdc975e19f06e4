"""The emulator as proxmoxer sees it, the client that most Python portals are written with."""

import time

import pytest
from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException
from websockets.sync.client import connect

import rfb
from child import PATIENCE
from pve import DELAY, NODE, PASSWORD, TOKEN_ID, TOKEN_SECRET, USER, cookie, token


def logged_in(pve, password=PASSWORD, user=USER):
    return ProxmoxAPI(pve.host, port=pve.port, user=user, password=password, verify_ssl=pve.ca_file, timeout=30)


def with_token(pve, secret=TOKEN_SECRET):
    user, _, name = TOKEN_ID.partition("!")
    return ProxmoxAPI(
        pve.host, port=pve.port, user=user, token_name=name, token_value=secret, verify_ssl=pve.ca_file, timeout=30
    )


def test_a_user_logs_in_and_has_both_tokens(pve):
    ticket, csrf = logged_in(pve).get_tokens()

    assert ticket.startswith(f"PVE:{USER}:")
    assert csrf


def test_a_ticket_is_accepted_as_a_password(pve):
    ticket, _ = logged_in(pve).get_tokens()

    renewed, _ = logged_in(pve, password=ticket).get_tokens()

    assert renewed.startswith(f"PVE:{USER}:")


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody@pam", PASSWORD), ("root@nowhere", PASSWORD)])
def test_a_wrong_log_in_is_refused_after_a_while(pve, user, password):
    begin = time.monotonic()

    with pytest.raises(AuthenticationError):
        logged_in(pve, password=password, user=user)

    assert time.monotonic() - begin >= DELAY


def test_a_token_has_no_log_in(pve):
    assert with_token(pve).get_tokens() == (None, None)


def test_a_wrong_token_is_refused(pve):
    with pytest.raises(ResourceException) as refused:
        with_token(pve, secret="wrong").nodes(NODE).qemu(101).vncproxy.post(websocket=1)

    assert refused.value.status_code == 401


@pytest.mark.parametrize("client", [logged_in, with_token])
def test_the_guests_are_listed(pve, client):
    guests = client(pve).cluster.resources.get(type="vm")

    assert {guest["id"] for guest in guests} == {"qemu/101", "lxc/200", "qemu/103"}
    assert {guest["node"] for guest in guests} == {NODE}


@pytest.mark.parametrize("client", [logged_in, with_token])
def test_vncproxy_answers_what_the_real_server_answers(pve, client):
    answer = client(pve).nodes(NODE).qemu(101).vncproxy.post(websocket=1)

    assert set(answer) == {"cert", "password", "port", "ticket", "upid", "user"}
    assert isinstance(answer["port"], str)
    assert 5900 <= int(answer["port"]) <= 5999
    assert len(answer["password"]) == 8
    assert len(answer["ticket"]) <= 512


def test_vncproxy_of_before_april_2026_has_a_password_on_request_only(classic):
    guest = with_token(classic).nodes(NODE).qemu(101)

    assert set(guest.vncproxy.post(websocket=1)) == {"cert", "port", "ticket", "upid", "user"}
    assert "password" in guest.vncproxy.post(websocket=1, **{"generate-password": 1})


def test_the_cookie_of_a_log_in_opens_the_websocket(pve):
    client = logged_in(pve)
    answer = client.nodes(NODE).qemu(101).vncproxy.post(websocket=1)

    headers = {"Cookie": cookie(client.get_tokens()[0])}
    with connect(
        pve.websocket(answer),
        additional_headers=headers,
        subprotocols=["binary"],
        ssl=pve.tls_in_two_threads,
        open_timeout=PATIENCE,
    ) as socket:
        assert socket.recv(PATIENCE) == rfb.BANNER


def test_a_container_has_a_console_as_well(pve):
    answer = with_token(pve).nodes(NODE).lxc(200).vncproxy.post(websocket=1)

    with connect(
        pve.websocket(answer, "lxc/200"),
        additional_headers=token(),
        subprotocols=["binary"],
        ssl=pve.tls_in_two_threads,
        open_timeout=PATIENCE,
    ) as socket:
        assert socket.recv(PATIENCE) == rfb.BANNER


def test_asking_for_the_websocket_without_a_ticket_is_400_with_its_reasons(pve):
    """What those get who look for the console inside proxmoxer."""
    with pytest.raises(ResourceException) as refused:
        logged_in(pve).nodes(NODE).qemu(101).vncwebsocket.get()

    assert refused.value.status_code == 400
    assert set(refused.value.errors) == {"port", "vncticket"}


@pytest.mark.parametrize("node", [NODE, "localhost"])
def test_a_guest_that_is_not_there_is_a_500_that_names_its_file(pve, node):
    with pytest.raises(ResourceException) as refused:
        logged_in(pve).nodes(node).qemu(999).vncproxy.post(websocket=1)

    assert refused.value.status_code == 500
    assert f"nodes/{node}/qemu-server/999.conf' does not exist" in str(refused.value)


def test_a_parameter_that_is_not_in_the_schema_is_refused(pve):
    with pytest.raises(ResourceException) as refused:
        logged_in(pve).nodes(NODE).qemu(101).vncproxy.post(websocket=1, height=1)

    assert refused.value.status_code == 400
    assert "height" in refused.value.errors


def test_a_boolean_is_1_or_0(pve):
    with pytest.raises(ResourceException) as refused:
        logged_in(pve).nodes(NODE).qemu(101).vncproxy.post(websocket="true")

    assert refused.value.status_code == 400
    assert refused.value.errors["websocket"] == "type check ('boolean') failed - got 'true'"
