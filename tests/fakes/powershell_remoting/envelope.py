"""WS-Management's envelopes, as Windows' remote shells use them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring
from pypsrp.wsman import NAMESPACES

ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
LARGEST = 500 * 1024  # of an envelope: MaxEnvelopeSizekb of Windows since 2012


class WsmanError(Exception):
    """A WS-Management fault; its code is Windows'."""

    def __init__(self, code: int, reason: str, subcode: str = "wsman:InternalError") -> None:
        super().__init__(f"0x{code:08X}: {reason}")
        self.code = code
        self.reason = reason
        self.subcode = subcode


@dataclass(frozen=True)
class Request:
    """A request, of which the header was read."""

    action: str
    message_id: str
    resource_uri: str
    shell_id: str  # empty if missing
    largest_answer: int
    timeout: float  # seconds
    body: Element

    def found(self, path: str) -> Element:
        """The element of the body at that path."""
        element = self.body.find(path, NAMESPACES)
        if element is None:
            raise WsmanError(
                0x80338027,
                f"the body of this request lacks {path}",
                "wsman:SchemaValidationError",
            )
        return element


def tag(name: str) -> str:
    """`rsp:Shell`, as ElementTree writes it."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def element(name: str, text: str | None = None, **attributes: str) -> Element:
    """An element of one of the protocol's namespaces."""
    made = Element(tag(name), attributes)
    made.text = text
    return made


def read(content: bytes) -> Request:
    """The request that a client has sent."""
    envelope = fromstring(content)

    def header(name: str, otherwise: str = "") -> str:
        return str(envelope.findtext(f"s:Header/{name}", otherwise, NAMESPACES))

    body = envelope.find("s:Body", NAMESPACES)
    assert body is not None
    duration = re.fullmatch(r"PT([\d.]+)S", header("wsman:OperationTimeout", "PT60S"))
    assert duration, header("wsman:OperationTimeout")
    return Request(
        action=header("wsa:Action"),
        message_id=header("wsa:MessageID"),
        resource_uri=header("wsman:ResourceURI"),
        shell_id=header("wsman:SelectorSet/wsman:Selector[@Name='ShellId']"),
        largest_answer=min(int(header("wsman:MaxEnvelopeSize", str(LARGEST))), LARGEST),
        timeout=float(duration[1]),
        body=body,
    )


def answer(request: Request, *body: Element) -> bytes:
    """The envelope that answers a request."""
    return _envelope(request.message_id, f"{request.action}Response", body)


def refusal(request: Request, fault: WsmanError) -> bytes:
    """The fault envelope for a request."""
    body = element("s:Fault")
    code = SubElement(body, tag("s:Code"))
    code.append(element("s:Value", "s:Receiver"))
    SubElement(code, tag("s:Subcode")).append(element("s:Value", fault.subcode))
    reason = SubElement(body, tag("s:Reason"))
    reason.append(element("s:Text", fault.reason))
    detail = SubElement(body, tag("s:Detail"))
    windows = element("wsmanfault:WSManFault", Code=str(fault.code), Machine="127.0.0.1")
    windows.append(element("wsmanfault:Message", fault.reason))
    detail.append(windows)
    return _envelope(request.message_id, FAULT_ACTION, [body])


def _envelope(relates_to: str, action: str, body: Sequence[Element]) -> bytes:
    envelope = element("s:Envelope")
    header = SubElement(envelope, tag("s:Header"))
    header.append(element("wsa:Action", action))
    header.append(element("wsa:MessageID", f"uuid:{uuid.uuid4()}".upper()))
    header.append(element("wsa:To", ANONYMOUS))
    header.append(element("wsa:RelatesTo", relates_to))
    SubElement(envelope, tag("s:Body")).extend(body)
    content: bytes = tostring(envelope, encoding="utf-8")
    return content
