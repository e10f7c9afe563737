import pytest
import torch

from kickpipe.models.rows import RowConv, RowConvTranspose, channels_last


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 5, "padding": 6, "dilation": 3},
        {"kernel_size": 41, "padding": 20, "stride": 4, "groups": 2},
    ],
)
def test_a_row_convolution_equals_the_one_dimensional_one(arguments):
    rows = RowConv(4, 6, **arguments)
    plain = torch.nn.Conv1d(4, 6, **arguments)
    plain.load_state_dict(rows.state_dict())
    x = torch.randn(2, 4, 50)
    assert torch.allclose(rows(x.unsqueeze(2)).squeeze(2), plain(x), atol=1e-5)


def test_a_transposed_row_convolution_equals_the_one_dimensional_one():
    rows = RowConvTranspose(4, 6, 16, stride=8, padding=4)
    plain = torch.nn.ConvTranspose1d(4, 6, 16, stride=8, padding=4)
    plain.load_state_dict(rows.state_dict())
    x = torch.randn(2, 4, 9)
    assert torch.allclose(rows(x.unsqueeze(2)).squeeze(2), plain(x), atol=1e-5)


def test_maps_lie_channels_last_on_the_cpu_and_keep_their_values():
    x = torch.randn(2, 4, 1, 9)
    laid_out = channels_last(x)
    assert torch.equal(laid_out, x)
    assert laid_out.stride(1) == 1
