"""From a camera's bytes to a gray picture, upright and of bounded size."""

import cv2
import numpy as np

from app.scanner.decode import SIDE_MAX, ImageError
from app.scanner.engines.base import Gray

_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}

# A 48-megapixel still is 12 MB; more is not a picture from a phone's camera.
BLOB_BYTES_MAX = 32 * 1024 * 1024


def open_frame(blob: bytes, rotation: int = 0) -> Gray:
    """The picture in JPEG or PNG bytes, turned clockwise by `rotation` degrees (0, 90, 180, 270).

    Raises ImageError if the bytes are no picture. Colour, alpha and 16 bits a channel become 8-bit
    gray; a picture longer than SIDE_MAX is made smaller.
    """
    if rotation % 90:
        raise ImageError(f"a sensor is turned by right angles, not by {rotation} degrees")
    if not blob or len(blob) > BLOB_BYTES_MAX:
        raise ImageError(f"no picture in {len(blob)} bytes")
    raw = np.frombuffer(blob, np.uint8)
    try:
        image = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise ImageError(f"the picture could not be opened: {error.err}") from error
    if image is None:
        raise ImageError("the bytes are not a JPEG or PNG picture")
    longest = max(image.shape[:2])
    if longest > SIDE_MAX:
        height, width = (max(1, round(side * SIDE_MAX / longest)) for side in image.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    turn = _TURNS.get(rotation % 360)
    return np.asarray(image if turn is None else cv2.rotate(image, turn), np.uint8)
