"""events of devices and changes for them

Revision: sync_001. Revises: . Depends on: records_001.
"""
from alembic import op
import sqlalchemy as sa
import server.storage.columns
from server.storage.migrations.append_only import protect, release


revision = 'sync_001'
down_revision = None
branch_labels = ('sync',)
depends_on = 'records_001'


def upgrade() -> None:
    op.create_table('change',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('kind', server.storage.columns.CodeText(), nullable=False),
    sa.Column('row_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('rev', sa.BigInteger(), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'kind', 'row_id'),
    sa.UniqueConstraint('site_id', 'rev', name='uq_change_rev')
    )
    op.create_table('change_counter',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('rev', sa.BigInteger(), nullable=False),
    sa.Column('forgotten', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id')
    )
    op.create_table('change_total',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('kind', server.storage.columns.CodeText(), nullable=False),
    sa.Column('live', sa.BigInteger(), nullable=False),
    sa.Column('checksum', server.storage.columns.CodeText(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'kind')
    )
    op.create_table('clock_sample',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('install_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('boot_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('t0_boot_ms', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('t0_wall_ms', sa.BigInteger(), nullable=False),
    sa.Column('t1_ms', sa.BigInteger(), nullable=False),
    sa.Column('t2_ms', sa.BigInteger(), nullable=False),
    sa.Column('t3_boot_ms', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'install_id', 'boot_id', 't0_boot_ms')
    )
    op.create_table('compare_later',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('count_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('since_us', sa.BigInteger(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'count_id')
    )
    op.create_table('device_event',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('event_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('install_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('device_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('type', server.storage.columns.CodeText(), nullable=False),
    sa.Column('count_id', server.storage.columns.CodeText(), nullable=True),
    sa.Column('task_id', server.storage.columns.CodeText(), nullable=True),
    sa.Column('user_id', server.storage.columns.CodeText(), nullable=True),
    sa.Column('raw', sa.String(), nullable=False),
    sa.Column('sha256', server.storage.columns.CodeText(), nullable=False),
    sa.Column('push', sa.BigInteger(), nullable=False),
    sa.Column('received_us', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'event_id'),
    sa.UniqueConstraint('site_id', 'install_id', 'seq', name='uq_device_event_seq')
    )
    op.create_index('ix_device_event_count', 'device_event', ['site_id', 'count_id', 'install_id', 'seq'], unique=False)
    op.create_index('ix_device_event_received', 'device_event', ['site_id', 'received_us'], unique=False)
    op.create_table('held_event',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('held_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('install_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('event_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('device_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', server.storage.columns.CodeText(), nullable=False),
    sa.Column('code', server.storage.columns.CodeText(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('count_id', server.storage.columns.CodeText(), nullable=True),
    sa.Column('user_id', server.storage.columns.CodeText(), nullable=True),
    sa.Column('push', sa.BigInteger(), nullable=False),
    sa.Column('received_us', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'held_id')
    )
    op.create_index('ix_held_event_id', 'held_event', ['site_id', 'event_id'], unique=False)
    op.create_index('ix_held_event_seq', 'held_event', ['site_id', 'install_id', 'seq'], unique=False)
    op.create_table('held_release',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('held_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('outcome', server.storage.columns.CodeText(), nullable=False),
    sa.Column('by', server.storage.columns.CodeText(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'held_id')
    )
    op.create_table('install',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('install_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('device_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('high_seq', sa.BigInteger(), nullable=False),
    sa.Column('max_seq', sa.BigInteger(), nullable=False),
    sa.Column('gap_since_us', sa.BigInteger(), nullable=True),
    sa.Column('is_forked', sa.Boolean(), nullable=False),
    sa.Column('pushes', sa.BigInteger(), nullable=False),
    sa.Column('audit_head', server.storage.columns.CodeText(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'install_id')
    )
    op.create_table('push',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('install_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('received_us', sa.BigInteger(), nullable=False),
    sa.Column('head', server.storage.columns.CodeText(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'install_id', 'number')
    )
    op.create_table('server_mark',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('name', server.storage.columns.CodeText(), nullable=False),
    sa.Column('value', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'name')
    )
    protect('push')
    protect('device_event')
    protect('held_event')
    protect('held_release')


def downgrade() -> None:
    release('push')
    release('device_event')
    release('held_event')
    release('held_release')
    op.drop_table('server_mark')
    op.drop_table('push')
    op.drop_table('install')
    op.drop_table('held_release')
    op.drop_index('ix_held_event_seq', table_name='held_event')
    op.drop_index('ix_held_event_id', table_name='held_event')
    op.drop_table('held_event')
    op.drop_index('ix_device_event_received', table_name='device_event')
    op.drop_index('ix_device_event_count', table_name='device_event')
    op.drop_table('device_event')
    op.drop_table('compare_later')
    op.drop_table('clock_sample')
    op.drop_table('change_total')
    op.drop_table('change_counter')
    op.drop_table('change')
